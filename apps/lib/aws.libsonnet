{
  // Hundreds of pods that start at once meet AWS's request limits: retry at a falling rate, sign in at the region's own
  // STS, and never turn to the node's metadata for another identity. boto3 and the C++ SDK read AWS_DEFAULT_REGION.
  env(region):: {
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '10',
    AWS_REGION: region,
    AWS_RETRY_MODE: 'adaptive',
    AWS_STS_REGIONAL_ENDPOINTS: 'regional',
  },

  // What makes a ServiceAccount's pods run as an IAM role.
  roleAnnotations(arn)::
    assert std.startsWith(arn, 'arn:aws') : '`%s` is not the ARN of an IAM role' % arn;
    { 'eks.amazonaws.com/role-arn': arn, 'eks.amazonaws.com/sts-regional-endpoints': 'true' },
}
