"""Benchmarks: each prints ratios of what it measured side by side in one run."""
