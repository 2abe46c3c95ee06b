# Argo CD onto a new cluster; from then on it keeps itself. A script, since nothing but the aws provider can be had, and a
# provider for a cluster that is not there yet could not plan. What git changes later is Argo CD's: no trigger here.
resource "terraform_data" "bootstrap" {
  count = var.argocd.bootstrap ? 1 : 0

  # The endpoint's name is new with each cluster. Argo CD cannot itself move the root to another repository.
  triggers_replace = [module.cluster.endpoint, var.argocd.repository, var.argocd.revision, var.argocd.credential]

  provisioner "local-exec" {
    command = "make --no-print-directory -C '${abspath(path.root)}/../..' bootstrap NAME=${var.cluster_name}"
  }

  # Nodes, and the way out of the VPC, by which they get images and Argo CD gets to git.
  depends_on = [module.cluster, module.network, module.node_groups]
}
