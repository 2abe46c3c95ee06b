"""AWS for the tests of a real apply: moto's server, and what moto lacks of EKS."""
