"""Child processes for CPU work and for suspects."""
