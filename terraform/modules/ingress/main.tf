resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_150:nothing in it can be lost, and a cluster must be destroyable
  #checkov:skip=CKV_AWS_91:its logs need a bucket without KMS, and the cluster has none
  #checkov:skip=CKV2_AWS_28:the login comes before every page; a web ACL is a further price a month
  name                       = var.load_balancer_name
  internal                   = var.internal
  subnets                    = var.subnet_ids
  security_groups            = [aws_security_group.this.id]
  drop_invalid_header_fields = true
  # Pages follow logs and changes over one connection, and a minute of silence, the default, would cut it.
  idle_timeout = 3600
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  # What AWS recommends since 2025-09: TLS 1.3, and of 1.2 the ciphers with forward secrecy.
  ssl_policy      = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
  certificate_arn = aws_acm_certificate_validation.this.certificate_arn

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "no page has this name"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "this" {
  for_each = var.routes

  listener_arn = aws_lb_listener.https.arn
  # Unique already, and it stays when other pages come and go.
  priority = each.value.node_port

  condition {
    host_header {
      values = [each.value.host]
    }
  }

  action {
    order = 1
    type  = "authenticate-cognito"
    authenticate_cognito {
      user_pool_arn              = aws_cognito_user_pool.this.arn
      user_pool_client_id        = aws_cognito_user_pool_client.this.id
      user_pool_domain           = aws_cognito_user_pool_domain.this.domain
      on_unauthenticated_request = "authenticate"
      scope                      = "openid"
      session_timeout            = local.session_hours * 3600
    }
  }

  action {
    order            = 2
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.key].arn
  }
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; on the node port only its security group speaks
  for_each = var.routes

  name        = each.value.target_group
  vpc_id      = var.vpc_id
  target_type = "instance"
  protocol    = "HTTP"
  port        = each.value.node_port
  # A spot node has two minutes from the notice to its end.
  deregistration_delay = 30

  health_check {
    path                = each.value.health_path
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  lifecycle {
    # A rule points to it.
    create_before_destroy = true
  }
}

locals {
  attachments = merge([
    for app in keys(var.routes) : { for group in keys(var.auto_scaling_groups) : "${group}/${app}" => { group = group, app = app } }
  ]...)
}

resource "aws_autoscaling_attachment" "this" {
  #checkov:skip=CKV2_AWS_15:EKS owns these groups; a page that fails its check must not cost the node
  for_each = local.attachments

  autoscaling_group_name = var.auto_scaling_groups[each.value.group]
  lb_target_group_arn    = aws_lb_target_group.this[each.value.app].arn

  lifecycle {
    # A node group's successor serves before the old one goes.
    create_before_destroy = true
  }
}
