"""What moving a cluster to another Kubernetes minor takes, told from git before any live cluster is touched."""
