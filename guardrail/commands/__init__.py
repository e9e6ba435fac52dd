"""Areas of the command line, one file each. A command only parses and calls."""
