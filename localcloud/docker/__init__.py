"""Instances as containers, and images as Docker builds them. Imported only where a cloud runs with that driver."""
