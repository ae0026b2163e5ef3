"""The programs that are measured. Each is one process that listens on 127.0.0.1, with its access log off."""
