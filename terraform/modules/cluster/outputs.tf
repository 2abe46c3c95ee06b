output "name" {
  description = "Name of the cluster. Known once the CNI has its role, without which a node stays NotReady, and once administrators may enter."
  value       = aws_eks_cluster.this.name

  # Administrators stay until the nodes are gone: a destroy that stopped must be able to ask Kubernetes again.
  depends_on = [aws_eks_access_policy_association.admin, aws_eks_addon.kube_proxy, aws_eks_addon.vpc_cni]
}

output "endpoint" {
  description = "URL of the API server."
  value       = aws_eks_cluster.this.endpoint
}

output "certificate_authority" {
  description = "The API server's CA certificate, base64."
  value       = aws_eks_cluster.this.certificate_authority[0].data
}

output "security_group_id" {
  description = "Security group that EKS gives the control plane and, by default, the nodes."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "oidc_provider_arn" {
  description = "ARN of the IAM OIDC provider: who vouches for ServiceAccounts."
  value       = aws_iam_openid_connect_provider.this.arn
}

output "oidc_issuer" {
  description = "Issuer of ServiceAccount tokens, without https://, as the keys of trust conditions want it."
  value       = local.issuer
}
