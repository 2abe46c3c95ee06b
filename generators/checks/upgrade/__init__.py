"""What an upgrade to another Kubernetes minor asks for, told from git alone. One module a kind of thing to look at."""
