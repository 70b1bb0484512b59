"""What a stack's configuration says: its files read as the engine reads them, and typed; what is wrong, by its key."""
