"""What is measured, and against whom: `uv run python -m benchmarks`."""
