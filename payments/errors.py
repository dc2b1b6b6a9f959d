"""What the payment services refuse. An exception's docstring is its message."""

from orders.errors import ShopError


class PaymentInProgress(ShopError):
    """A payment of this order is in progress; wait for its outcome."""

    status_code = 409
    default_code = "payment_in_progress"


class OrderNotPayable(ShopError):
    """This order is not waiting for a payment."""

    status_code = 409
    default_code = "order_not_payable"


class OrderNotCancellable(ShopError):
    """This order is paid; it can no longer be cancelled here."""

    status_code = 409
    default_code = "order_not_cancellable"


class RefundExceedsCapture(ShopError):
    """The refund is higher than what is left of the captured amount."""

    status_code = 409
    default_code = "refund_exceeds_capture"


class GatewayNotConfigured(ShopError):
    """The shop cannot be paid through this gateway."""

    default_code = "gateway_not_configured"


class TokenRequired(ShopError):
    """This gateway is paid with a token: send `payment_token`."""

    default_code = "payment_token_required"


class TokenNotWanted(ShopError):
    """With this gateway the customer pays in its checkout: send no token."""

    default_code = "payment_token_not_wanted"


class SignatureMismatch(ShopError):
    """The gateway's signature is not over this payment."""

    default_code = "signature_mismatch"


class PaymentNotConfirmable(ShopError):
    """This payment does not wait for its customer."""

    status_code = 409
    default_code = "payment_not_confirmable"


class BadWebhook(Exception):
    """The webhook is not from the provider, too old, or not an event."""
