locals {
  # A working day: then the load balancer asks again.
  session_hours = 12
  urls          = { for app, route in var.routes : app => "https://${route.host}" }
}

resource "aws_cognito_user_pool" "this" {
  name                     = var.cluster_name
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]
  # The login is all that stands before the pages.
  mfa_configuration   = "ON"
  deletion_protection = var.deletable ? "INACTIVE" : "ACTIVE"

  username_configuration {
    case_sensitive = false
  }

  software_token_mfa_configuration {
    enabled = true
  }

  admin_create_user_config {
    allow_admin_create_user_only = true

    invite_message_template {
      email_subject = "Your way into ${var.cluster_name}"
      email_message = join("<br>", concat(
        ["User name: {username}", "Password for the first sign-in: {####}", "Have an authenticator app at hand.", ""],
        values(local.urls),
      ))
      sms_message = "{username} {####}"
    }
  }

  password_policy {
    minimum_length                   = 14
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = true
    require_uppercase                = true
    temporary_password_validity_days = 3
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  domain       = var.cognito_domain_prefix
  user_pool_id = aws_cognito_user_pool.this.id
}

resource "aws_cognito_user_pool_client" "this" {
  name         = var.load_balancer_name
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid"]
  callback_urls                        = [for url in values(local.urls) : "${url}/oauth2/idpresponse"]
  supported_identity_providers         = ["COGNITO"]
  prevent_user_existence_errors        = "ENABLED"

  access_token_validity  = 1
  id_token_validity      = 1
  refresh_token_validity = local.session_hours

  token_validity_units {
    access_token  = "hours"
    id_token      = "hours"
    refresh_token = "hours"
  }
}
