"""Everyday work on the containers that instances run: look, read, enter, stop. The same wherever they run."""
