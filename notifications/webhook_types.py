"""The events that an endpoint can ask for. Whoever sends them declares them; this app knows none by itself."""

KNOWN: dict[str, str] = {}
"""What each tells, by its name."""


def declare(name: str, about: str) -> str:
    """Make an event known, and return its name."""
    KNOWN[name] = about
    return name
