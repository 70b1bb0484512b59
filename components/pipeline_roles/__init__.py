"""What PipelineRoles (identity.py) is made of: what each role may do, and where, and what servers may do at most."""
