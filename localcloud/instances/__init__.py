"""Runs one scaling-group instance for real. Which instances there are to be is decided elsewhere."""
