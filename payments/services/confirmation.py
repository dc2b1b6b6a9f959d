"""The storefront's word that its customer has paid: worth a question to the gateway, and no more than that."""

from django.conf import settings

from ..errors import PaymentNotConfirmable, SignatureMismatch
from ..gateways.signatures import is_from_checkout
from ..models import Payment
from ..states import UNDECIDED
from . import questions


def confirm(payment: Payment, razorpay_payment_id: str = "", razorpay_signature: str = "") -> None:
    """Let a job ask the gateway now. PostgreSQL only.

    Raises SignatureMismatch where Razorpay's checkout did not sign this payment, and PaymentNotConfirmable for one
    that was never sent; one that is decided is asked about all the same, as money may come late.
    """
    if payment.submitted_at is None or (payment.state in UNDECIDED and not payment.intent_reference):
        raise PaymentNotConfirmable
    if payment.gateway == "razorpay" and not is_from_checkout(
        payment.intent_reference, razorpay_payment_id, razorpay_signature, settings.RAZORPAY_KEY_SECRET
    ):
        raise SignatureMismatch
    questions.told_by_customer(payment)
