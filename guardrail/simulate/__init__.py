"""A simulated model server: scripted replies in the shapes of the real services, at a chosen pace, with faults."""
