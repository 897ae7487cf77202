"""The bars of the project, each measured beside its peer in one run (``python -m benchmarks``)."""
