"""The systems that are measured: ours and its peers, all driven in the same way."""
