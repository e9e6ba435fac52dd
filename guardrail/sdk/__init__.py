"""The items that SDKs stream, as the events of their protocols and back.

No SDK is imported: what an item is, is told by its shape, and what it is made of by its own class.
"""
