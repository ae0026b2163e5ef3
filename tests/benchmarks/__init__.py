"""Speed and memory of the library beside other proxies: ``python -m tests.benchmarks [--help]``."""
