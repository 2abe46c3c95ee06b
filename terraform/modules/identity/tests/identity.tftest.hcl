mock_provider "aws" {}

variables {
  oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/ABC"
  oidc_issuer       = "oidc.example.com/id/ABC"
  reader = {
    app             = "gpu-inference"
    namespace       = "inference"
    service_account = "worker"
    statements = [
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::movies/*"] },
      {
        Effect    = "Allow"
        Action    = ["autoscaling:SetDesiredCapacity"]
        Resource  = ["*"]
        Condition = { StringEquals = { "aws:ResourceTag/owner" = ["demo"] } }
      },
      { Effect = "Allow", Action = ["autoscaling:DescribeAutoScalingGroups"], Resource = ["*"] },
    ]
  }
}

run "trust_is_exact" {
  command = plan
  variables {
    identities = { demo-inference-worker = var.reader }
  }
  assert {
    condition = jsondecode(aws_iam_role.this["demo-inference-worker"].assume_role_policy).Statement == [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/ABC" }
      Condition = {
        StringEquals = {
          "oidc.example.com/id/ABC:aud" = "sts.amazonaws.com"
          "oidc.example.com/id/ABC:sub" = "system:serviceaccount:inference:worker"
        }
      }
    }]
    error_message = "exactly one ServiceAccount and audience"
  }
}

run "the_policy_is_what_was_declared" {
  command = plan
  variables {
    identities = { demo-inference-worker = var.reader }
  }
  assert {
    condition     = aws_iam_role_policy.this["demo-inference-worker"].policy == jsonencode({ Version = "2012-10-17", Statement = var.reader.statements })
    error_message = "no statement more or less, and no Condition of null"
  }
}

run "refuses_a_wildcard_service_account" {
  command = plan
  variables {
    identities = { worker = merge(var.reader, { service_account = "*" }) }
  }
  expect_failures = [var.identities]
}

run "refuses_two_roles_for_one_service_account" {
  command = plan
  variables {
    identities = { one = var.reader, two = var.reader }
  }
  expect_failures = [var.identities]
}

run "refuses_a_role_that_grants_nothing" {
  command = plan
  variables {
    identities = { worker = merge(var.reader, { statements = [] }) }
  }
  expect_failures = [var.identities]
}

run "refuses_a_wildcard_action" {
  command = plan
  variables {
    identities = { worker = merge(var.reader, { statements = [{ Effect = "Allow", Action = ["s3:*"], Resource = ["arn:aws:s3:::movies/*"] }] }) }
  }
  expect_failures = [var.identities]
}

run "refuses_writing_anywhere" {
  command = plan
  variables {
    identities = { worker = merge(var.reader, { statements = [{ Effect = "Allow", Action = ["s3:PutObject"], Resource = ["*"] }] }) }
  }
  expect_failures = [var.identities]
}

run "refuses_a_name_too_long" {
  command = plan
  variables {
    identities = { (join("", [for number in range(65) : "a"])) = var.reader }
  }
  expect_failures = [var.identities]
}

run "refuses_an_issuer_with_scheme" {
  command = plan
  variables {
    identities  = {}
    oidc_issuer = "https://oidc.example.com/id/ABC"
  }
  expect_failures = [var.oidc_issuer]
}

run "refuses_another_effect" {
  command = plan
  variables {
    identities = { demo-worker = merge(var.reader, { statements = [merge(var.reader.statements[0], { Effect = "allow" })] }) }
  }
  expect_failures = [var.identities]
}
