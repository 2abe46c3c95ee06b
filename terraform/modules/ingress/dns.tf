data "aws_route53_zone" "this" {
  name         = var.hosted_zone
  private_zone = false
}

resource "aws_acm_certificate" "this" {
  domain_name               = var.domain
  subject_alternative_names = ["*.${var.domain}"]
  validation_method         = "DNS"

  tags = { Name = var.domain }

  lifecycle {
    # The listener holds the old one until it has the new one.
    create_before_destroy = true
  }
}

locals {
  # ACM asks for one record for a name and its wildcard.
  proof = one([for option in aws_acm_certificate.this.domain_validation_options : option if option.domain_name == var.domain])
}

resource "aws_route53_record" "proof" {
  zone_id = data.aws_route53_zone.this.zone_id
  name    = local.proof.resource_record_name
  type    = local.proof.resource_record_type
  records = [local.proof.resource_record_value]
  ttl     = 300
  # An account's certificates of one name share their record, and another may have made it.
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [aws_route53_record.proof.fqdn]

  timeouts {
    # Minutes are usual; a zone that nobody delegated to would take all of it.
    create = "20m"
  }
}

resource "aws_route53_record" "host" {
  for_each = var.routes

  zone_id = data.aws_route53_zone.this.zone_id
  name    = each.value.host
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = false
  }
}
