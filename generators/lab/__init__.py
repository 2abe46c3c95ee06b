"""A cluster on this machine, without a cloud: a real control plane, simulated nodes, Argo CD on a git of its own."""
