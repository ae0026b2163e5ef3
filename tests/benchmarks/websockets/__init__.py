"""WebSockets through this library, beside a relay of messages and a bare splice: ``python -m
tests.benchmarks.websockets [--help]``."""
