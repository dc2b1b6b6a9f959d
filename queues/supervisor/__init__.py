"""The small parent process that replaces its working child. It imports nothing of ours."""
