"""The table: every AWS resource type that the embedded cloud knows, a file a service."""
