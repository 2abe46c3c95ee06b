resource "aws_vpc" "this" {
  cidr_block           = var.vpc_cidr
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = { Name = var.name }
}

# No rules: whatever forgets to name its security groups reaches nothing.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-closed" }
}

resource "aws_vpc_ipv4_cidr_block_association" "pods" {
  for_each = toset(var.pod_cidrs)

  vpc_id     = aws_vpc.this.id
  cidr_block = each.value
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_subnet" "public" {
  for_each = var.public_subnets

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value

  tags = {
    Name                     = "${var.name}-public-${each.key}"
    "kubernetes.io/role/elb" = "1"
  }
}

# Not tagged 0 for the CNI beside pod subnets: each node's first interface stands here, and without its addresses
# a node would run fewer pods than kubelet's max-pods promises.
resource "aws_subnet" "private" {
  for_each = var.private_subnets

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value

  tags = {
    Name                              = "${var.name}-private-${each.key}"
    "kubernetes.io/role/internal-elb" = "1"
  }
}

locals {
  pod_subnets = merge([
    for zone, blocks in var.pod_subnets : { for block in blocks : block => zone }
  ]...)
}

resource "aws_subnet" "pods" {
  for_each = local.pod_subnets

  vpc_id            = aws_vpc.this.id
  availability_zone = each.value
  cidr_block        = each.key

  tags = {
    Name                                         = "${var.name}-pods-${each.value}"
    "kubernetes.io/role/cni"                     = "1"
    "cni.networking.k8s.aws/cluster/${var.name}" = "1"
  }

  depends_on = [aws_vpc_ipv4_cidr_block_association.pods]
}
