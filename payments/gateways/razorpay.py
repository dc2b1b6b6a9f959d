"""Razorpay, by its SDK: an order there is our intent, the customer's payment on it the charge.

https://razorpay.com/docs/api/orders and /payments. The customer always confirms in Razorpay's checkout; one order may
have several attempts. Our name for an intent is the order's receipt. An order cannot be cancelled and an authorization
not be given up: Razorpay returns uncaptured money by itself, and late money takes the road of late money.
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import razorpay
from django.conf import settings
from razorpay.errors import BadRequestError, ServerError
from razorpay.errors import GatewayError as RazorpayGatewayError

from .base import (
    Charge,
    ChargeStatus,
    GatewayRefused,
    GatewayUnknown,
    Intent,
    RefundResult,
    RefundStatus,
    plain,
)
from .wire import Wire

T = TypeVar("T")
ANSWERED_BELOW_500 = (BadRequestError, ServerError, RazorpayGatewayError)  # the wire has dealt with the rest
CAPTURED = ("captured", "refunded")
REFUND_STATUSES = {
    "processed": RefundStatus.SUCCEEDED,
    "pending": RefundStatus.PENDING,
    "failed": RefundStatus.FAILED,
}


class RazorpayGateway:
    """The account of settings.RAZORPAY_KEY_ID.

    The SDK's default dicts are shared by all calls of the process, so every call here passes dicts of its own.
    """

    takes_tokens: ClassVar[bool] = False
    needs_token: ClassVar[bool] = False

    def __init__(self) -> None:
        base = {"base_url": settings.RAZORPAY_API_BASE} if settings.RAZORPAY_API_BASE else {}
        keys = (settings.RAZORPAY_KEY_ID, settings.RAZORPAY_KEY_SECRET)
        client: Any = razorpay.Client(session=Wire(), auth=keys, **base)
        self._orders, self._payments, self._refunds = client.order, client.payment, client.refund

    def charge(self, intent: Intent) -> Charge:
        """Orders know no idempotency key: one that was made before is found by its receipt.

        Two made at once harm nobody: money only comes to the one that the storefront is told of, which is the first
        that was written down.
        """
        order = self._order(intent) or _call(lambda: self._orders.create(_wish(intent)))
        if _whole(order, "amount") != intent.amount_paise:
            raise GatewayRefused("the receipt was used for another amount")
        return self._charge_of(order, intent)

    def fetch(self, intent: Intent) -> Charge | None:
        order = self._order(intent)
        return None if order is None else self._charge_of(order, intent)

    def capture(self, intent: Intent) -> Charge:
        found = self.fetch(intent)
        if found is None or found.status == ChargeStatus.PENDING:
            raise GatewayRefused("there is nothing to capture")
        if found.status != ChargeStatus.AUTHORIZED:
            return found
        amount, currency = found.amount_paise, {"currency": found.currency}
        try:
            _call(lambda: self._payments.capture(found.reference, amount, currency))
        except GatewayRefused:
            now = self.fetch(intent)
            if now is None or now.status == ChargeStatus.AUTHORIZED:
                raise
            return now
        return self.fetch(intent) or found

    def cancel(self, intent: Intent) -> Charge:
        """Cancelled by our word alone, unless the money was captured; an authorization is left to lapse."""
        found = self.fetch(intent)
        if found and found.status == ChargeStatus.CAPTURED:
            return found
        named = (found.reference, found.intent_reference) if found else (intent.name, "")
        return Charge(
            ChargeStatus.CANCELLED,
            named[0],
            0,
            intent.currency,
            found.reason if found else "",
            intent_reference=named[1],
        )

    def refund(self, charge_reference: str, amount_paise: int, key: str, name: str = "") -> RefundResult:
        wish = {"amount": amount_paise, "notes": {"name": name or key}, "speed": "normal"}
        headers = {"X-Refund-Idempotency": key}
        try:
            made = _call(lambda: self._payments.refund(charge_reference, wish, headers=headers))
        except GatewayRefused as error:
            if "idempotency" in str(error).lower():
                raise
            return RefundResult(RefundStatus.FAILED, reason=plain(str(error)))
        return _refund_of(made)

    def fetch_refund(self, charge_reference: str, name: str, reference: str = "") -> RefundResult | None:
        if reference:
            return _refund_of(_call(lambda: self._refunds.fetch(reference, {})))
        made = _call(lambda: self._payments.fetch_multiple_refund(charge_reference, {"count": 100}))
        named = (refund for refund in _items(made) if _notes(refund).get("name") == name)
        return next((_refund_of(refund) for refund in named), None)

    def client_facts(self, intent_reference: str, client_secret: str) -> dict[str, str]:
        return {"order_id": intent_reference, "key_id": settings.RAZORPAY_KEY_ID} if intent_reference else {}

    def _order(self, intent: Intent) -> Any:
        if intent.reference:
            return _call(lambda: self._orders.fetch(intent.reference, {}))
        found = _items(_call(lambda: self._orders.all({"receipt": intent.name, "count": 10})))
        return min(found, key=_age, default=None)

    def _charge_of(self, order: Any, intent: Intent) -> Charge:
        """The attempts on an order in our words: what was captured first, else what is authorized, else none yet."""
        attempts = _items(_call(lambda: self._orders.payments(_text(order, "id"), {"count": 100})))
        attempts.sort(key=_age)
        captured = [_attempt(one, order, ChargeStatus.CAPTURED) for one in attempts if one.get("status") in CAPTURED]
        if captured:
            first, *others = captured
            return Charge(**{**vars(first), "others": tuple(others)})
        for attempt in attempts:
            if attempt.get("status") == "authorized":
                return _attempt(attempt, order, ChargeStatus.AUTHORIZED)
        failures = [plain(str(one.get("error_description") or "")) for one in attempts if one.get("status") == "failed"]
        return _pending(order, failures[-1] if failures else "")


def _wish(intent: Intent) -> dict[str, Any]:
    return {
        "amount": intent.amount_paise,
        "currency": intent.currency,
        "receipt": intent.name,
        "notes": {"order": str(intent.order_id)},
        "payment": {
            "capture": "manual" if intent.hold else "automatic",
            "capture_options": {
                "automatic_expiry_period": 12,  # minutes, the least; later authorizations are returned
                "manual_expiry_period": 7200,
                "refund_speed": "normal",
            },
        },
    }


def _attempt(made: Any, order: Any, status: ChargeStatus) -> Charge:
    return Charge(
        status=status,
        reference=_text(made, "id"),
        amount_paise=_whole(made, "amount"),
        currency=_text(made, "currency").upper(),
        intent_reference=_text(order, "id"),
        order_id=str(_notes(order).get("order", "")),
        refunded_paise=_whole(made, "amount_refunded") if made.get("amount_refunded") else 0,
    )


def _pending(order: Any, reason: str) -> Charge:
    name = _text(order, "id")
    told = str(_notes(order).get("order", ""))
    currency = _text(order, "currency").upper()
    return Charge(ChargeStatus.PENDING, name, 0, currency, reason, intent_reference=name, order_id=told)


def _refund_of(made: Any) -> RefundResult:
    status = REFUND_STATUSES.get(_text(made, "status"))
    if status is None:
        raise GatewayUnknown(f"a refund in a state that we do not know: {made['status']!r}")
    return RefundResult(status, _text(made, "id"))


def _age(made: Any) -> tuple[int, str]:
    """To sort by, the eldest first."""
    return _whole(made, "created_at"), _text(made, "id")


def _items(collection: Any) -> list[Any]:
    items = collection.get("items")
    if not isinstance(items, list):
        raise GatewayUnknown(f"a collection whose items are {items!r}")
    return [item for item in items if isinstance(item, dict)]


def _notes(made: Any) -> dict[str, Any]:
    notes = made.get("notes")  # an empty one comes as a list
    return notes if isinstance(notes, dict) else {}


def _text(made: Any, name: str) -> str:
    return str(_member(made, name, str))


def _whole(made: Any, name: str) -> int:
    return int(_member(made, name, int))


def _member(made: Any, name: str, kind: type) -> Any:
    value = made.get(name)
    if type(value) is not kind:
        raise GatewayUnknown(f"the answer's {name} is {value!r}, expected {kind.__name__}")
    return value


def _call(call: Callable[[], T]) -> T:
    try:
        return call()
    except ANSWERED_BELOW_500 as error:
        raise GatewayRefused(plain(str(error)) or type(error).__name__) from error
