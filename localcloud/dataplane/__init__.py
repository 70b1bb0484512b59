"""What makes the embedded cloud carry traffic: Envoy as its load balancer, and a life for every instance."""
