"""What CI does with a change: previews and their comment, delivery, drift, and what is said of them at GitHub."""
