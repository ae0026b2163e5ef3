"""The upstream's HTTP/1.1: heads and framing without I/O, connections, pools."""
