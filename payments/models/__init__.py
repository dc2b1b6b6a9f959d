"""Everything that payments remember."""

from .keys import Keyed, new_payment_key, new_refund_key
from .payment import Payment, PaymentEvent
from .provider import GatewayHealth, ProviderEvent
from .reconciliation import Reconciliation
from .refund import Refund

__all__ = [
    "GatewayHealth",
    "Keyed",
    "Payment",
    "PaymentEvent",
    "ProviderEvent",
    "Reconciliation",
    "Refund",
    "new_payment_key",
    "new_refund_key",
]
