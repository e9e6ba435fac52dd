"""The streaming text engine: text in, edits out. Pure: no await, clock, socket, file or log."""
