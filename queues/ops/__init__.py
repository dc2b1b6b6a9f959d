"""What operators see and do: actions, pages of the admin, metrics, tables of the commands."""
