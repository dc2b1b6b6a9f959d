"""An amount that differs speaks against what its customer orders next."""

import pytest

from orders.services import suspicion
from payments.services.settle import settle
from queues.testing import drain

from .factories import PRICE_PAISE, make_customer, place, proof, submitted_payment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("status", ["captured", "authorized"])
def test_an_amount_that_differs_makes_the_customers_next_order_suspicious(status: str):
    customer = make_customer()
    settle(submitted_payment(place(customer=customer)).pk, proof(status, PRICE_PAISE - 1))
    drain(queue="manual-review")

    found = [suspicion.reasons_against(place(customer=who)) for who in (customer, make_customer())]

    assert found == [["1 amount that differs of this customer within 24 h"], []]
