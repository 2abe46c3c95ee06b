output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Availability zone to id of its private subnet. Known once their routes to the NAT gateways stand."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }

  # A node that starts before its route can pull no image and joins no cluster.
  depends_on = [aws_route.nat, aws_route_table_association.private, aws_route_table_association.pods, aws_route.internet]
}

output "public_subnet_ids" {
  description = "Availability zone to id of its public subnet. Known once their route to the internet stands."
  value       = { for zone, subnet in aws_subnet.public : zone => subnet.id }

  # AWS refuses a public load balancer in a VPC without a gateway.
  depends_on = [aws_route.internet, aws_route_table_association.public]
}

output "pod_subnet_ids" {
  description = "Block to id of the pod subnet."
  value       = { for block, subnet in aws_subnet.pods : block => subnet.id }
}

output "nat_addresses" {
  description = "Public addresses that the cluster's traffic leaves from; others may have to allow them."
  value       = sort([for address in aws_eip.nat : address.public_ip])
}

output "nat_gateway_ids" {
  description = "Availability zone to the id of its NAT gateway: all zones, or the first."
  value       = { for zone, gateway in aws_nat_gateway.this : zone => gateway.id }
}
