"""Which of the shop's events other programs are told of: the one place that knows both."""
