mock_provider "aws" {
  override_during = plan

  mock_resource "aws_lb" {
    defaults = {
      arn      = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer/app/ui-demo/1"
      dns_name = "ui-demo-1.ap-northeast-1.elb.amazonaws.com"
      zone_id  = "Z14GRHDCWA56QT"
    }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:listener/app/ui-demo/1/2" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/demo/3" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:ap-northeast-1:123456789012:certificate/4"
      # As ACM answers: the same record twice.
      domain_validation_options = [
        { domain_name = "demo.example.com", resource_record_name = "_a.demo.example.com.", resource_record_type = "CNAME", resource_record_value = "_b.acm-validations.aws." },
        { domain_name = "*.demo.example.com", resource_record_name = "_a.demo.example.com.", resource_record_type = "CNAME", resource_record_value = "_b.acm-validations.aws." },
      ]
    }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:ap-northeast-1:123456789012:certificate/4" }
  }
  mock_resource "aws_cognito_user_pool" {
    defaults = { arn = "arn:aws:cognito-idp:ap-northeast-1:123456789012:userpool/ap-northeast-1_5" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-balancer" }
  }
  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z0123456789" }
  }
}

variables {
  cluster_name           = "demo"
  load_balancer_name     = "ui-demo"
  internal               = false
  vpc_id                 = "vpc-1"
  subnet_ids             = ["subnet-a", "subnet-c"]
  client_cidrs           = ["203.0.113.0/24", "198.51.100.7/32"]
  node_security_group_id = "sg-nodes"
  auto_scaling_groups    = { system = "eks-system-1", system-spot = "eks-system-spot-2" }
  domain                 = "demo.example.com"
  hosted_zone            = "example.com"
  cognito_domain_prefix  = "demo-123456789012"
  routes = {
    argo-cd   = { host = "argocd.demo.example.com", node_port = 30080, health_path = "/healthz", target_group = "demo-argo-cd-1" }
    pipelines = { host = "kfp.demo.example.com", node_port = 30081, health_path = "/apis/v1beta1/healthz", target_group = "demo-pipelines-2" }
  }
}

run "the_login_comes_before_every_page" {
  command = plan
  assert {
    condition     = { for app, rule in aws_lb_listener_rule.this : app => [for action in rule.action : "${action.order} ${action.type}"] } == { argo-cd = ["1 authenticate-cognito", "2 forward"], pipelines = ["1 authenticate-cognito", "2 forward"] }
    error_message = "each rule must ask for the login first, and then forward"
  }
  assert {
    condition     = alltrue([for rule in aws_lb_listener_rule.this : rule.action[0].authenticate_cognito[0].on_unauthenticated_request == "authenticate"])
    error_message = "nobody comes by without a login"
  }
  assert {
    condition     = aws_lb_listener.https.default_action[0].type == "fixed-response" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "other hosts get nothing, and plain HTTP is sent to HTTPS"
  }
  assert {
    condition     = toset(aws_cognito_user_pool_client.this.callback_urls) == toset(["https://argocd.demo.example.com/oauth2/idpresponse", "https://kfp.demo.example.com/oauth2/idpresponse"])
    error_message = "the load balancer's own path at each host"
  }
  assert {
    condition     = aws_cognito_user_pool.this.mfa_configuration == "ON" && aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only
    error_message = "a second factor, and no sign-up"
  }
  assert {
    condition     = aws_lb_listener_rule.this["argo-cd"].action[0].authenticate_cognito[0].session_timeout == aws_cognito_user_pool_client.this.refresh_token_validity * 3600
    error_message = "a session lasts as long as it can be renewed"
  }
}

run "each_host_leads_to_its_port" {
  command = plan
  assert {
    condition     = { for app, rule in aws_lb_listener_rule.this : one(one(one(rule.condition).host_header).values) => rule.priority } == { "argocd.demo.example.com" = 30080, "kfp.demo.example.com" = 30081 }
    error_message = "a rule a host, its priority from the port"
  }
  assert {
    condition     = { for app, group in aws_lb_target_group.this : group.name => "${group.target_type} ${group.port} ${group.health_check[0].path}" } == { demo-argo-cd-1 = "instance 30080 /healthz", demo-pipelines-2 = "instance 30081 /apis/v1beta1/healthz" }
    error_message = "a target group a page"
  }
  assert {
    condition = { for key, each in aws_autoscaling_attachment.this : key => each.autoscaling_group_name } == {
      "system/argo-cd"      = "eks-system-1", "system/pipelines" = "eks-system-1"
      "system-spot/argo-cd" = "eks-system-spot-2", "system-spot/pipelines" = "eks-system-spot-2"
    }
    error_message = "each target group on each group of nodes"
  }
  assert {
    condition     = toset([for record in aws_route53_record.host : "${record.type} ${record.name}"]) == toset(["A argocd.demo.example.com", "A kfp.demo.example.com"])
    error_message = "a name a page"
  }
  assert {
    condition     = output.urls == { argo-cd = "https://argocd.demo.example.com", pipelines = "https://kfp.demo.example.com" }
    error_message = "where a browser goes"
  }
}

run "only_those_named_may_speak" {
  command = plan
  assert {
    condition = toset([for rule in aws_vpc_security_group_ingress_rule.clients : "${rule.cidr_ipv4} ${rule.from_port}-${rule.to_port}"]) == toset([
      "203.0.113.0/24 80-80", "203.0.113.0/24 443-443", "198.51.100.7/32 80-80", "198.51.100.7/32 443-443",
    ])
    error_message = "browsers of those blocks, on two ports"
  }
  assert {
    condition = toset([for rule in aws_vpc_security_group_ingress_rule.nodes : "${rule.security_group_id} ${rule.referenced_security_group_id} ${rule.from_port}-${rule.to_port}"]) == toset([
      "sg-nodes sg-balancer 30080-30080", "sg-nodes sg-balancer 30081-30081",
    ])
    error_message = "nodes take the load balancer's word on those ports alone"
  }
  assert {
    condition = toset([for rule in aws_vpc_security_group_egress_rule.nodes : "${rule.security_group_id} ${rule.referenced_security_group_id} ${rule.from_port}-${rule.to_port}"]) == toset([
      "sg-balancer sg-nodes 30080-30080", "sg-balancer sg-nodes 30081-30081",
    ])
    error_message = "and the load balancer may speak there"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.login.from_port == 443 && aws_vpc_security_group_egress_rule.login.to_port == 443
    error_message = "the login needs Cognito, by HTTPS"
  }
}

run "one_certificate_for_all" {
  command = plan
  assert {
    condition     = aws_acm_certificate.this.domain_name == "demo.example.com" && aws_acm_certificate.this.subject_alternative_names == toset(["*.demo.example.com"])
    error_message = "the domain and all below it"
  }
  assert {
    condition     = aws_route53_record.proof.name == "_a.demo.example.com." && aws_route53_record.proof.records == toset(["_b.acm-validations.aws."])
    error_message = "the record that ACM asks for"
  }
  assert {
    condition     = startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-1-2-Res-")
    error_message = "TLS 1.2 with forward secrecy, or newer"
  }
}

run "who_may_sign_in_is_kept" {
  command = plan
  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
    error_message = "protected unless told"
  }
}

run "told_it_may_go" {
  command = plan
  variables {
    deletable = true
  }
  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "INACTIVE"
    error_message = "a cluster that may be destroyed can be"
  }
}

run "internal" {
  command = plan
  variables {
    internal = true
  }
  assert {
    condition     = aws_lb.this.internal
    error_message = "not on the internet"
  }
}

run "each_rule_leads_to_its_own_target_group" {
  command = plan
  override_resource {
    target          = aws_lb_target_group.this["pipelines"]
    override_during = plan
    values          = { arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/pipelines/9" }
  }
  assert {
    condition = (
      endswith(aws_lb_listener_rule.this["pipelines"].action[1].target_group_arn, "pipelines/9") &&
      endswith(aws_lb_listener_rule.this["argo-cd"].action[1].target_group_arn, "demo/3")
    )
    error_message = "a rule must forward to its own page"
  }
  assert {
    condition = alltrue([
      for key, each in aws_autoscaling_attachment.this : endswith(each.lb_target_group_arn, "pipelines/9") == endswith(key, "/pipelines")
    ])
    error_message = "and nodes must be attached to each page's own"
  }
}
