mock_provider "aws" {}

variables {
  repository = "demo/inference-worker"
}

run "a_tag_is_written_once_and_what_it_leads_to_is_looked_at" {
  assert {
    condition     = aws_ecr_repository.worker.name == "demo/inference-worker"
    error_message = "pods name it as the generators do"
  }
  assert {
    condition     = aws_ecr_repository.worker.image_tag_mutability == "IMMUTABLE"
    error_message = "a tag must not be written anew"
  }
  assert {
    condition     = one(aws_ecr_repository.worker.image_scanning_configuration).scan_on_push
    error_message = "each image is scanned as it comes"
  }
  assert {
    condition     = one(aws_ecr_repository.worker.encryption_configuration).encryption_type == "AES256"
    error_message = "encrypted by ECR's own keys"
  }
}

run "only_what_has_no_tag_ends" {
  assert {
    condition = [
      for rule in jsondecode(aws_ecr_lifecycle_policy.worker.policy).rules :
      "${rule.action.type} ${rule.selection.tagStatus} ${rule.selection.countType} ${rule.selection.countNumber} ${rule.selection.countUnit}"
    ] == ["expire untagged sinceImagePushed 7 days"]
    error_message = "a tagged image may be in use, however old"
  }
}

run "images_stay_unless_told" {
  assert {
    condition     = !aws_ecr_repository.worker.force_delete
    error_message = "ECR must refuse to remove a repository with images"
  }
}

run "told_once_they_go" {
  variables {
    deletable = true
  }
  assert {
    condition     = aws_ecr_repository.worker.force_delete
    error_message = "images are no data"
  }
}

run "refuses_a_name_of_no_cluster" {
  command = plan
  variables {
    repository = "inference-worker"
  }
  expect_failures = [var.repository]
}
