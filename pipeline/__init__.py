"""What a change would do to a project's stacks, and the comment that says so on a pull request. Pure: no I/O."""
