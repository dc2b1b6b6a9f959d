"""The contract of refunds, `payments.gateways.base`: one suite, every gateway, over real HTTP."""

import pytest

from payments.gateways.base import GatewayRefused, RefundStatus

from .gateways import Bench


def test_refund_pays_once_per_key(bench: Bench):
    reference = bench.charge(bench.intent(amount_paise=1_000)).reference

    first = bench.gateway.refund(reference, 600, f"one-{reference}")
    again = bench.gateway.refund(reference, 600, f"one-{reference}")
    rest = bench.gateway.refund(reference, 400, f"two-{reference}")

    assert first.status == rest.status == RefundStatus.SUCCEEDED
    assert first == again
    assert first.reference != rest.reference


def test_refund_is_found_by_its_name_and_by_its_reference(bench: Bench):
    intent = bench.intent(amount_paise=1_000)
    reference = bench.charge(intent).reference
    made = bench.gateway.refund(reference, 600, f"one-{reference}")

    assert bench.gateway.fetch_refund(reference, f"one-{reference}") == made
    assert bench.gateway.fetch_refund(reference, "", made.reference) == made
    assert bench.gateway.fetch_refund(reference, f"two-{reference}") is None
    found = bench.gateway.fetch(intent)
    assert found is not None
    assert (found.amount_paise, found.refunded_paise) == (1_000, 600)


def test_refund_above_the_capture_fails(bench: Bench):
    reference = bench.charge(bench.intent(amount_paise=1_000)).reference
    bench.gateway.refund(reference, 600, f"one-{reference}")

    result = bench.gateway.refund(reference, 401, f"two-{reference}")

    assert result.status == RefundStatus.FAILED
    assert result.reason


def test_refund_key_for_another_amount_is_refused(bench: Bench):
    reference = bench.charge(bench.intent(amount_paise=1_000)).reference
    bench.gateway.refund(reference, 300, f"one-{reference}")

    with pytest.raises(GatewayRefused):
        bench.gateway.refund(reference, 301, f"one-{reference}")
