"""What the shop does. Each module is the only writer of its tables."""
