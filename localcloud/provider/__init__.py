"""A Pulumi provider for package `aws` (and `docker`) whose AWS is the embedded cloud."""
