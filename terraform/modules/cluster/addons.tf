locals {
  issuer = trimprefix(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://")

  # The add-on refuses null: what is not asked for is left out.
  cni_env = {
    for key, value in {
      ENABLE_PREFIX_DELEGATION = tostring(var.cni.prefix_delegation)
      WARM_PREFIX_TARGET       = var.cni.warm_prefix_target == null ? null : tostring(var.cni.warm_prefix_target)
      WARM_ENI_TARGET          = var.cni.warm_eni_target == null ? null : tostring(var.cni.warm_eni_target)
    } : key => value if value != null
  }
}

# Its own role, so that the node's role, which any process on a node may come by, cannot move network interfaces.
resource "aws_iam_role" "vpc_cni" {
  name = "${var.name}-kube-system-aws-node"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.this.arn }
      Condition = {
        StringEquals = {
          "${local.issuer}:aud" = "sts.amazonaws.com"
          "${local.issuer}:sub" = "system:serviceaccount:kube-system:aws-node"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "vpc_cni" {
  role       = aws_iam_role.vpc_cni.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
}

resource "aws_eks_addon" "vpc_cni" {
  cluster_name             = aws_eks_cluster.this.name
  addon_name               = "vpc-cni"
  addon_version            = lookup(var.addon_versions, "vpc-cni", null)
  service_account_role_arn = aws_iam_role.vpc_cni.arn

  # It takes over the self-managed CNI that every new cluster has.
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  # A pair of quotes: the add-on's schema asks for text.
  configuration_values = jsonencode({ enableNetworkPolicy = "true", env = local.cni_env })

  depends_on = [aws_iam_role_policy_attachment.vpc_cni]
}

# Without it, node repair sees only nodes that are NotReady or gone: no failing GPU, disk or interface.
resource "aws_eks_addon" "node_monitoring" {
  count = var.node_monitoring ? 1 : 0

  cluster_name  = aws_eks_cluster.this.name
  addon_name    = "eks-node-monitoring-agent"
  addon_version = lookup(var.addon_versions, "eks-node-monitoring-agent", null)

  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
}

resource "aws_eks_addon" "kube_proxy" {
  cluster_name  = aws_eks_cluster.this.name
  addon_name    = "kube-proxy"
  addon_version = lookup(var.addon_versions, "kube-proxy", null)

  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
}
