from tests.payments.gateway_process import gateway, gateway_process

__all__ = ["gateway", "gateway_process"]
