"""What the shop refuses. An exception's docstring is its message; `fields` says where it lies."""

from collections.abc import Mapping

from rest_framework.exceptions import APIException


class ShopError(APIException):
    """The shop cannot do that."""

    status_code = 400
    default_code = "shop_error"

    def __init_subclass__(cls) -> None:
        cls.default_detail = cls.__doc__ or ""

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.fields = dict(fields or {})

    def __str__(self) -> str:
        told = ", ".join(f"{name}: {message}" for name, message in self.fields.items())
        return f"{self.detail} ({told})" if told else str(self.detail)


class UnknownProduct(ShopError):
    """The order names a product that the shop does not sell."""

    default_code = "unknown_product"


class OutOfStock(ShopError):
    """There is not enough left of a product in the order."""

    status_code = 409
    default_code = "out_of_stock"


class IdempotencyKeyRequired(ShopError):
    """Send an Idempotency-Key header, a new one for each order, so that a repeated request orders once."""

    default_code = "idempotency_key_required"


class IdempotencyKeyInvalid(ShopError):
    """The Idempotency-Key must be 1 to 255 printable ASCII characters."""

    default_code = "idempotency_key_invalid"


class IdempotencyKeyReused(ShopError):
    """This Idempotency-Key was used for another order; take a new key for a new order."""

    status_code = 422
    default_code = "idempotency_key_reused"


class OrderNotShippable(ShopError):
    """Only an order in processing can be shipped."""

    status_code = 409
    default_code = "order_not_shippable"


class AlreadyShipped(ShopError):
    """This order was shipped with another carrier or tracking number."""

    status_code = 409
    default_code = "already_shipped"


class TrackingNumberTaken(ShopError):
    """Another order was shipped with this tracking number."""

    status_code = 409
    default_code = "tracking_number_taken"


class OrderNotDeliverable(ShopError):
    """Only an order that was shipped can be delivered."""

    status_code = 409
    default_code = "order_not_deliverable"


class UnknownShipment(ShopError):
    """No order was shipped with this tracking number."""

    status_code = 404
    default_code = "unknown_shipment"


class OrderUnderReview(ShopError):
    """This order is not shipped before its review is approved."""

    status_code = 409
    default_code = "order_under_review"


class ReviewClosed(ShopError):
    """This review was decided before, or its deadline has passed."""

    status_code = 409
    default_code = "review_closed"


class NotInOrder(ShopError):
    """This order has no such product."""

    default_code = "not_in_order"


class NotReturnable(ShopError):
    """Only an order that was delivered can be returned."""

    status_code = 409
    default_code = "not_returnable"


class ReturnWindowOver(ShopError):
    """This order was delivered too long ago to be returned."""

    status_code = 409
    default_code = "return_window_over"


class ReturnExceedsOrder(ShopError):
    """More is to be returned than was bought and not returned before."""

    status_code = 409
    default_code = "return_exceeds_order"


class ReturnNotExpected(ShopError):
    """Only a return that was approved can be received."""

    status_code = 409
    default_code = "return_not_expected"


class ReturnNotUnpaid(ShopError):
    """This return is not waiting for its money: it was tried again or paid before."""

    status_code = 409
    default_code = "return_not_unpaid"


class DamageExceedsReturn(ShopError):
    """More is said to be damaged than is returned."""

    default_code = "damage_exceeds_return"


class NotInvoiceable(Exception):
    """Only a paid order gets an invoice."""


class StockNotHeld(Exception):
    """A paid order holds no stock for some of its lines; nothing was taken out."""
