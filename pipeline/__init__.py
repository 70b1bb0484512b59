"""What CI does with a change: previews, delivery, drift. Knows nothing of the command line, of AWS or of the engine."""
