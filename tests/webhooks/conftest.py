from tests.notifications.conftest import web

__all__ = ["web"]
