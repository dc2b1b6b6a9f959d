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
