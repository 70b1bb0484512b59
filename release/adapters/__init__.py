"""Where releases meet the world: one adapter a service."""
