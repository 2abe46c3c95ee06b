"""Identity is closed: a ServiceAccount and its IAM role come from one declaration, and neither is there alone.

`tfvars` reads what Terraform will make, `accounts` and `charts` what Kubernetes will have, `closed` holds the two
against each other, and `pods` looks at who runs as whom. All of it is taken as it is committed.
"""
