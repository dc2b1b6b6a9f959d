"""Jobs that do what the engine's tests need: record a run, wait for a sign, crash, fail."""
