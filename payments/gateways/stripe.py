"""Stripe, by its SDK: PaymentIntents and refunds.

Our name for an intent or a refund lies in its metadata, so that it is found when the answer that held Stripe's name
was lost. It is found by listing what was created since: Stripe's search lags, and is not open to Indian shops.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

import stripe
from django.conf import settings

from .base import Charge, GatewayError, GatewayRefused, GatewayUnknown, Intent, RefundResult, RefundStatus, plain
from .stripe_answers import Answer, charge_of, member, no_charge, refund_of, text
from .wire import Wire

T = TypeVar("T")
CLOCKS_APART = timedelta(minutes=5)
EXPANDED: Any = {"expand": ["latest_charge"]}
ENDED = ("succeeded", "canceled")
WRONG_TOKEN = ("payment_method", "payment_method_data", "source")

stripe.enable_telemetry = False


class StripeGateway:
    """The account of settings.STRIPE_SECRET_KEY. A token is the id of a PaymentMethod (pm_…)."""

    takes_tokens: ClassVar[bool] = True
    needs_token: ClassVar[bool] = False

    def __init__(self) -> None:
        base: Any = {"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else {}
        http = stripe.RequestsClient(session=Wire())
        client = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY, http_client=http, max_network_retries=0, base_addresses=base
        )
        self._intents: Any = client.v1.payment_intents
        self._refunds: Any = client.v1.refunds

    def charge(self, intent: Intent) -> Charge:
        try:
            return charge_of(self._create(_wish(intent), intent.key), intent)
        except stripe.CardError as error:
            return _declined(intent, error)
        except stripe.IdempotencyError:
            return self._earlier(intent)
        except stripe.StripeError as error:
            if getattr(error, "param", None) in WRONG_TOKEN:
                return no_charge(intent, "The payment token is not valid.")
            raise _refused(error) from error

    def fetch(self, intent: Intent) -> Charge | None:
        found = self._find(intent)
        return None if found is None else charge_of(found, intent)

    def capture(self, intent: Intent) -> Charge:
        found = self._find(intent)
        if found is None:
            raise GatewayRefused("there is nothing to capture")
        if found["status"] != "requires_capture":
            return charge_of(found, intent)
        return self._then("capture", found, intent)

    def cancel(self, intent: Intent) -> Charge:
        """One that Stripe has not heard of is created without its token, so that its key is taken, and cancelled."""
        found = self._find(intent) or self._take_key(intent)
        if found is None:
            return self._earlier(intent)
        return charge_of(found, intent) if found["status"] in ENDED else self._then("cancel", found, intent)

    def refund(self, charge_reference: str, amount_paise: int, key: str, name: str = "") -> RefundResult:
        wish = {"payment_intent": charge_reference, "amount": amount_paise, "metadata": {"name": name or key}}
        try:
            return refund_of(_call(lambda: self._refunds.create(wish, {"idempotency_key": key})).to_dict())
        except stripe.InvalidRequestError as error:
            if error.param not in (None, "amount"):
                raise _refused(error) from error
            return RefundResult(RefundStatus.FAILED, reason=plain(error.code or str(error.user_message)))
        except stripe.StripeError as error:
            raise _refused(error) from error

    def fetch_refund(self, charge_reference: str, name: str, reference: str = "") -> RefundResult | None:
        if reference:
            return refund_of(_sure(lambda: self._refunds.retrieve(reference)).to_dict())
        of_charge = {"payment_intent": charge_reference, "limit": 100}
        named = _named(lambda: self._refunds.list(of_charge), "name", name)
        return None if named is None else refund_of(named)

    def client_facts(self, intent_reference: str, client_secret: str) -> dict[str, str]:
        if not client_secret:
            return {}
        return {"client_secret": client_secret, "publishable_key": settings.STRIPE_PUBLISHABLE_KEY}

    def _create(self, wish: Answer, key: str) -> Answer:
        made: Answer = _call(lambda: self._intents.create(wish, {"idempotency_key": key})).to_dict()
        return made

    def _find(self, intent: Intent) -> Answer | None:
        reference = intent.reference
        if not reference:
            created = {"created": {"gte": int((intent.since - CLOCKS_APART).timestamp())}} if intent.since else {}
            named = _named(lambda: self._intents.list({"limit": 100, **created}), "payment", intent.name)
            if named is None:
                return None
            reference = member(named, "id")
        return self._retrieve(reference)

    def _retrieve(self, reference: str) -> Answer:
        found: Answer = _sure(lambda: self._intents.retrieve(reference, EXPANDED)).to_dict()
        return found

    def _then(self, step: str, found: Answer, intent: Intent) -> Charge:
        """Capture or cancel; where the intent has moved on meanwhile, what has become of it.

        Both may be repeated: what was captured or cancelled cannot be so again, so they need no key of ours.
        """
        try:
            done = self._act(step, member(found, "id"))
        except stripe.StripeError as error:
            done = self._retrieve(found["id"])
            if done["status"] == found["status"]:
                raise _refused(error) from error
        return charge_of(done, intent)

    def _act(self, step: str, reference: str) -> Answer:
        act = getattr(self._intents, step)
        done: Answer = _call(lambda: act(reference, EXPANDED)).to_dict()
        return done

    def _take_key(self, intent: Intent) -> Answer | None:
        bare = {name: value for name, value in _wish(intent).items() if name not in ("payment_method", "confirm")}
        try:
            return self._create(bare, intent.key)
        except stripe.IdempotencyError:
            return None
        except stripe.StripeError as error:
            raise _refused(error) from error

    def _earlier(self, intent: Intent) -> Charge:
        """The key was used with other parameters: what was made under it is the intent, if it is the same wish."""
        found = self._find(intent)
        if found is None:
            raise GatewayUnknown("the key is in use, and its intent cannot be found yet")
        if found.get("amount") != intent.amount_paise:
            raise GatewayRefused("the key was used for another amount")
        return charge_of(found, intent)


def _wish(intent: Intent) -> dict[str, Any]:
    """A token is a card's; without one Stripe offers what the account has enabled."""
    wish: dict[str, Any] = {
        "amount": intent.amount_paise,
        "currency": intent.currency.lower(),
        "capture_method": "manual" if intent.hold else "automatic",
        "metadata": {"payment": intent.name, "order": str(intent.order_id)},
        **EXPANDED,
    }
    if intent.token:
        wish |= {"payment_method": intent.token, "payment_method_types": ["card"], "confirm": True}
    return wish


def _declined(intent: Intent, error: stripe.CardError) -> Charge:
    told = error.json_body if isinstance(error.json_body, dict) else {}
    inner = told.get("error")
    made = inner.get("payment_intent") if isinstance(inner, dict) else None
    if not isinstance(made, dict):
        return no_charge(intent, plain(str(error.user_message)))
    return charge_of(made, intent)


def _named(listing: Callable[[], Any], label: str, name: str) -> Answer | None:
    """The one of a list, page by page, whose metadata bear our name under this label."""

    def search() -> Answer | None:
        made = (one.to_dict() for one in listing().auto_paging_iter())
        return next((one for one in made if text(one, "metadata", label) == name), None)

    return _sure(search)


def _call(call: Callable[[], T]) -> T:
    """Our wire's errors as they are, not as the SDK wraps them; an answer of another shape is no answer."""
    try:
        return call()
    except stripe.APIConnectionError as error:
        raise (error.__cause__ if isinstance(error.__cause__, GatewayError | RuntimeError) else error) from None
    except stripe.APIError as error:
        raise GatewayUnknown(plain(str(error.user_message))) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise GatewayUnknown(f"an answer that cannot be read: {error!r}") from error


def _sure(call: Callable[[], T]) -> T:
    """The same where Stripe has nothing to decline."""
    try:
        return _call(call)
    except stripe.StripeError as error:
        raise _refused(error) from error


def _refused(error: stripe.StripeError) -> GatewayRefused:
    return GatewayRefused(plain(f"{error.code or type(error).__name__}: {error.user_message}"))
