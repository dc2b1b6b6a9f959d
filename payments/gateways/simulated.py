"""The client of `payments.simulator`, over HTTP."""

from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

import requests
from django.conf import settings

from .base import (
    Charge,
    ChargeStatus,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnknown,
    Intent,
    RefundResult,
    RefundStatus,
    plain,
    refuse_open_transaction,
)
from .wire import never_connected

T = TypeVar("T")
OK, DECLINED, NOT_FOUND, TOO_MANY = 200, 402, 404, 429


class SimulatedGateway:
    """Our own gateway process at settings.SIMULATED_GATEWAY_URL; connect and read take GATEWAY_TIMEOUT seconds each."""

    takes_tokens: ClassVar[bool] = True
    needs_token: ClassVar[bool] = True

    def charge(self, intent: Intent) -> Charge:
        body: dict[str, Any] = {"amount_paise": intent.amount_paise, "currency": intent.currency, "token": intent.token}
        if intent.hold:
            body["hold"] = True
        status, answer = _call("POST", "/charges", body, intent.key)
        return _charge_from(_expect(status, answer, OK, DECLINED))

    def fetch(self, intent: Intent) -> Charge | None:
        status, answer = _call("GET", f"/charges/{_name(intent)}")
        if status == NOT_FOUND and _error_code(answer) == "not_found":
            return None
        return _charge_from(_expect(status, answer, OK))

    def capture(self, intent: Intent) -> Charge:
        status, answer = _call("POST", f"/charges/{_name(intent)}/capture", {})
        return _charge_from(_expect(status, answer, OK))

    def cancel(self, intent: Intent) -> Charge:
        status, answer = _call("POST", f"/charges/{_name(intent)}/cancel", {})
        return _charge_from(_expect(status, answer, OK))

    def refund(self, charge_reference: str, amount_paise: int, key: str, name: str = "") -> RefundResult:
        path = f"/charges/{quote(charge_reference, safe='')}/refunds"
        status, answer = _call("POST", path, {"amount_paise": amount_paise}, key)
        if status == DECLINED:
            return RefundResult(RefundStatus.FAILED, reason=_error_code(answer))
        return _refund_from(_expect(status, answer, OK))

    def fetch_refund(self, charge_reference: str, name: str, reference: str = "") -> RefundResult | None:
        status, answer = _call("GET", f"/refunds/{quote(reference or name, safe='')}")
        if status == NOT_FOUND and _error_code(answer) == "not_found":
            return None
        return _refund_from(_expect(status, answer, OK))

    def client_facts(self, intent_reference: str, client_secret: str) -> dict[str, str]:
        return {}


def _call(method: str, path: str, body: dict[str, Any] | None = None, key: str = "") -> tuple[int, dict[str, Any]]:
    """One request, tried once. Returns the status and the JSON object of the answer."""
    refuse_open_transaction()
    headers = {"Idempotency-Key": key} if key else {}
    url, timeout = settings.SIMULATED_GATEWAY_URL.rstrip("/") + path, settings.GATEWAY_TIMEOUT
    try:
        with requests.Session() as session:
            session.trust_env = False  # neither proxies nor .netrc for a server of our own
            response = session.request(
                method, url, json=body, headers=headers, timeout=(timeout, timeout), allow_redirects=False
            )
            return response.status_code, _object_of(response)
    except requests.RequestException as error:
        if never_connected(error):
            raise GatewayUnavailable(f"{method} {path}: {error}") from error
        raise GatewayUnknown(f"{method} {path}: {error}") from error


def _object_of(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise GatewayUnknown(f"status {response.status_code} with a body that is not a JSON object")
    return answer


def _expect(status: int, answer: dict[str, Any], *expected: int) -> dict[str, Any]:
    if status in expected:
        return answer
    told = f"status {status} ({_error_code(answer)})"
    if status == TOO_MANY:
        raise GatewayUnavailable(told)
    if 400 <= status < 500:
        raise GatewayRefused(told)
    raise GatewayUnknown(told, kept=status >= 500)


def _charge_from(answer: dict[str, Any]) -> Charge:
    try:
        status = ChargeStatus(answer.get("status", ""))
    except ValueError:
        raise GatewayUnknown(f"a charge in a state that we do not know: {answer.get('status')!r}") from None
    amount_paise, currency = _field(answer, "amount_paise", int), _field(answer, "currency", str)
    refunded = answer.get("refunded_paise", 0)
    return Charge(
        status=status,
        reference=_field(answer, "reference", str),
        amount_paise=amount_paise,
        currency=currency,
        reason=plain(str(answer.get("reason", ""))),
        refunded_paise=refunded if type(refunded) is int else 0,
    )


def _refund_from(answer: dict[str, Any]) -> RefundResult:
    return RefundResult(RefundStatus(_field(answer, "status", str)), _field(answer, "reference", str))


def _field(answer: dict[str, Any], name: str, kind: type[T]) -> T:
    value = answer.get(name)
    if not isinstance(value, kind):
        raise GatewayUnknown(f"the answer's {name} is {value!r}, expected {kind.__name__}")
    return value


def _error_code(answer: dict[str, Any]) -> str:
    error = answer.get("error")
    return plain(str(error.get("code", ""))) if isinstance(error, dict) else ""


def _name(intent: Intent) -> str:
    return quote(intent.key, safe="")
