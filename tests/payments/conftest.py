from tests.providers.running import providers, providers_server

from .gateway_process import gateway, gateway_process, own_gateway

__all__ = ["gateway", "gateway_process", "own_gateway", "providers", "providers_server"]
