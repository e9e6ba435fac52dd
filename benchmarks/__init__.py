"""The figures that docs/benchmarks.md holds, each from one command: `python -m benchmarks`."""
