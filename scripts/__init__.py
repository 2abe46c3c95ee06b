"""Operations against live AWS and a live cluster. They read what is committed in `generated/`, as Terraform does."""
