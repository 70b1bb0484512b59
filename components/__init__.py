"""What an environment is made of: one component a module, each importable alone."""
