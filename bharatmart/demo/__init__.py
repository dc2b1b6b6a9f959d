"""The shop on this machine, for real: `python -m bharatmart.demo [--once]`, or `make demo [ONCE=1]`."""
