resource "aws_ecr_repository" "worker" {
  #checkov:skip=CKV_AWS_136:images hold code that git has; a key of ours that is lost or slow would keep nodes from starting pods
  name = var.repository
  # What a Job names stays what it was when the Job was reviewed.
  image_tag_mutability = "IMMUTABLE"
  # Git makes them again, so they are no data; but without the first word not even they go.
  force_delete = var.deletable

  encryption_configuration {
    encryption_type = "AES256"
  }

  # Free of charge, and of the packages of the operating system alone.
  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "worker" {
  repository = aws_ecr_repository.worker.name

  # No rule for tagged images: which of them a suspended batch or a pipeline of last year still names, ECR cannot know.
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "What no tag leads to, nothing can run"
      selection = {
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = 7
      }
      action = { type = "expire" }
    }]
  })
}
