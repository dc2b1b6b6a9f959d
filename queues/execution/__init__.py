"""Runs one claimed job in this thread, and says what its end means."""
