"""The shell: sockets, processes and clocks around the pure engine and codecs."""
