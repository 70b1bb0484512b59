"""How a version gets in: the state of an environment's releases, and later the machine that moves it."""
