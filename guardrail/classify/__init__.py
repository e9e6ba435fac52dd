"""The classifier: models that score what a stream says, and the machinery that asks them without delaying anybody."""
