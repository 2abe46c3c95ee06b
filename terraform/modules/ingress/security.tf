resource "aws_security_group" "this" {
  name        = var.load_balancer_name
  description = "Load balancer of ${var.cluster_name}"
  vpc_id      = var.vpc_id

  tags = { Name = var.load_balancer_name }
}

locals {
  doors = merge([for port in [80, 443] : { for block in var.client_cidrs : "${block}:${port}" => { block = block, port = port } }]...)
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  #checkov:skip=CKV_AWS_260:port 80 only sends browsers to 443; who may come is client_cidrs
  for_each = local.doors

  security_group_id = aws_security_group.this.id
  description       = "Browsers"
  cidr_ipv4         = each.value.block
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}

# Cognito's token endpoint has neither fixed addresses nor a private endpoint; without this, sign-in ends in a 500.
resource "aws_vpc_security_group_egress_rule" "login" {
  security_group_id = aws_security_group.this.id
  description       = "Token endpoint of Cognito"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "nodes" {
  for_each = var.routes

  security_group_id            = aws_security_group.this.id
  description                  = "Pages of ${each.key}"
  referenced_security_group_id = var.node_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value.node_port
  to_port                      = each.value.node_port
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  for_each = var.routes

  security_group_id            = var.node_security_group_id
  description                  = "Pages of ${each.key}, from the load balancer"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.node_port
  to_port                      = each.value.node_port
}
