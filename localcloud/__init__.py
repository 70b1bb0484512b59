"""An AWS to try everything on: an API on loopback, a load balancer and instances that really run."""
