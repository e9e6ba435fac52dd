"""Pure codecs: bytes of a protocol in, guarded bytes out. No await, clock, socket, file or log."""
