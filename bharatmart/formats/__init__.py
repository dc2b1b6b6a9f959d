"""How dates and times are written, for people who look after jobs: with seconds."""
