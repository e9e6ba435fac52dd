"""Policies: read, checked, resolved, compiled and swapped. The shell does the reading; nothing here is per token."""
