"""An AWS to try everything on: the real Pulumi engine, an API on loopback, a load balancer and instances that really run."""
