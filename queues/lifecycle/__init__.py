"""The shapes that a job takes on its way, as plain data: no verb, no table."""
