from .running import providers, providers_server

__all__ = ["providers", "providers_server"]
