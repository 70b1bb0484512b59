"""The `teal` command: one file a command; what it does lives in the other rooms."""
