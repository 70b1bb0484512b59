"""Images into a registry of ECR and out of it, by its API alone. What each room makes of that is its own."""
