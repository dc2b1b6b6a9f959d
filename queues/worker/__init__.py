"""The process that claims jobs and runs many at once."""
