"""What an app declares: jobs, events and recurrences, each known by its name."""
