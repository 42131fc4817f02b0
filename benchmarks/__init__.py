"""Benchmarks: quality floors, detection, speed. `python -m benchmarks --help`."""
