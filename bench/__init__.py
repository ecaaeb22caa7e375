"""Measures speed as ratios to a bare Starlette route, in one run: `make bench`. docs/performance.md explains it."""
