# EKS has no on-demand share in a spot group: it is written on the Auto Scaling groups that EKS made, each time EKS may
# have written them. For every cluster with a spot group, so that a mix that was taken away goes too.
resource "terraform_data" "spot_mix" {
  count = length(module.node_groups.spot_revisions) > 0 ? 1 : 0

  triggers_replace = module.node_groups.spot_revisions

  provisioner "local-exec" {
    command = "make --no-print-directory -C '${abspath(path.root)}/../..' spot-mix NAME=${var.cluster_name}"
  }
}
