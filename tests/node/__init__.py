"""A node for tests: a private containerd, the daemon under test, and clients that share no code with it."""
