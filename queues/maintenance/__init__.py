"""What every worker does beside its jobs: rescue, offer again, tick, prune."""
