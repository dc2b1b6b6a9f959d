"""The books of Stripe and Razorpay in the form of the simulated gateway's; demo and chaos judge by them."""

from bharatmart.demo.providers import entries_of


def test_a_providers_book_reads_like_the_gateways() -> None:
    intent = {"id": "pi_1", "amount_received": 100, "metadata": {"payment": "pay-1", "order": "7"}}
    refund = {"id": "re_1", "payment_intent": "pi_1", "amount": 40, "status": "succeeded"}
    order = {"id": "order_1", "receipt": "pay-2", "notes": {"order": "8"}}
    paid = {"id": "pay_1", "order_id": "order_1", "amount": 200, "status": "captured"}
    book = {
        "stripe": {"intents": [intent, {**intent, "id": "pi_2", "amount_received": 0}], "refunds": [refund]},
        "razorpay": {"orders": [order], "payments": [paid, {**paid, "id": "pay_2", "status": "failed"}], "refunds": []},
    }

    entries = entries_of(book)

    assert [(x["effect"], x["key"], x["amount_paise"]) for x in entries] == [
        ("charge", "pay-1", 100),
        ("refund", "re_1", 40),
        ("charge", "pay-2", 200),
    ]
    assert entries[1]["charge"] == entries[0]["reference"] == "pi_1"
