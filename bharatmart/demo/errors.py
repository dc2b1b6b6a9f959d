"""Why a demo ends before its time; each is told as one sentence."""


class DemoError(Exception):
    """The demo cannot go on."""


class CommandFailed(DemoError):
    """A command of the demo failed."""


class NotInTime(DemoError):
    """Something did not happen in time."""


class ServersRefused(DemoError):
    """A server cannot be used for the demo."""


class ShopRefused(DemoError):
    """The shop answered a request otherwise than expected."""
