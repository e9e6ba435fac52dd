"""What replicas share, and what outlives a process: one interface, in a SQLite file or in Redis."""
