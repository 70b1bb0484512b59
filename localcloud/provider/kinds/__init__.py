"""The table: every AWS resource type that the embedded cloud knows, a folder a field, a file a family."""
