"""What may go wrong with a message."""


class UnknownKind(LookupError):
    """No notification of that kind is declared in notifications/messages.py."""


class Refused(Exception):
    """The mail server will never take this message for this recipient."""


class SecretUnreadable(Exception):
    """The secret was sealed under another key: put the old SECRET_KEY into SECRET_KEY_FALLBACKS, or register anew."""


class AddressRefused(Exception):
    """The webhook's address leads into a network that the shop does not send to."""
