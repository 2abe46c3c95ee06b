// Peers and ports of network policies.
{
  local on(protocol, numbers) = [{ protocol: protocol, port: number } for number in numbers],

  tcp(numbers):: on('TCP', numbers),

  // CoreDNS, by its Service's address too, and the cache on each node.
  dns(nodeLocal):: {
    to: [
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
        podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
      },
      { ipBlock: { cidr: nodeLocal + '/32' } },
    ],
    ports: on('UDP', [53]) + on('TCP', [53]),
  },

  // AWS has no fixed addresses. Instance metadata is on port 80 and stays out of reach.
  https:: { to: [{ ipBlock: { cidr: '0.0.0.0/0' } }], ports: on('TCP', [443]) },
}
