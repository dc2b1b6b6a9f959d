"""What is in the mails, as a mail reader gets them."""

from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest

from notifications import messages, services
from tests.smtp_sink import SmtpSink

ORDER: dict[str, Any] = {
    "order_id": 1042,
    "name": "Asha Rao",
    "shop": "BharatMart",
    "lines": [
        {"name": "Darjeeling tea 250 g", "quantity": 2, "total": "₹798.00"},
        {"name": "<script>alert('x')</script> & Co", "quantity": 1, "total": "₹1,05,000.50"},
    ],
    "total": "₹1,05,798.50",
    "reason": "card declined",
    "invoice_number": "BM/26-27/000001",
    "pay_before": "21 Nov 2026, 10:30",
}


class Tags(HTMLParser):
    """The tags of a page and its visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def mail_of(sink: SmtpSink, kind: str, **changes: Any) -> tuple[str, str, str]:
    services.send(kind=kind, to="asha@example.in", context=ORDER | changes, key=f"{kind}-1")
    mail = sink.mails[-1]
    return str(mail["Subject"]), *parts(mail)


@pytest.mark.parametrize("kind", messages.KINDS)
@pytest.mark.django_db
def test_every_kind_has_subject_text_and_sound_html(sink: SmtpSink, kind: str) -> None:
    subject, text, html = mail_of(sink, kind)

    page = Tags(html)
    assert subject
    assert "BharatMart" in text
    assert page.tags.count("html") == page.tags.count("body") == 1
    assert "script" not in page.tags
    assert "{{" not in html + text + subject
    assert "http" not in html.replace("http-equiv", "")


@pytest.mark.django_db
def test_welcome_greets_in_hindi(sink: SmtpSink) -> None:
    subject, text, html = mail_of(sink, "welcome")

    assert subject.startswith("नमस्ते!")
    assert "नमस्ते Asha Rao!" in text
    assert "नमस्ते Asha Rao!" in html


@pytest.mark.parametrize("kind", ["order_confirmation", "payment_receipt"])
@pytest.mark.django_db
def test_order_mails_list_the_lines(sink: SmtpSink, kind: str) -> None:
    _, text, html = mail_of(sink, kind)

    for said in ("1042", "Darjeeling tea 250 g", "₹798.00", "₹1,05,798.50"):
        assert said in text
        assert said in html
    assert "<script>alert('x')</script> & Co" in text
    assert "<script>alert('x')</script> & Co" in Tags(html).text


@pytest.mark.django_db
def test_receipt_names_the_invoice(sink: SmtpSink) -> None:
    subject, text, html = mail_of(sink, "payment_receipt")

    assert subject == "Receipt for order 1042: ₹1,05,798.50 paid"
    assert "BM/26-27/000001" in text
    assert "BM/26-27/000001" in html


@pytest.mark.django_db
def test_confirmation_says_until_when_to_pay_only_if_something_is_to_be_paid(sink: SmtpSink) -> None:
    _, unpaid, _ = mail_of(sink, "order_confirmation")
    services.send(kind="order_confirmation", to="a@example.in", context=ORDER | {"pay_before": ""}, key="other")
    paying, _ = parts(sink.mails[-1])

    assert "pay before 21 Nov 2026, 10:30" in unpaid
    assert "before" not in paying


@pytest.mark.parametrize("kind", ["payment_failed", "order_cancelled"])
@pytest.mark.django_db
def test_bad_news_gives_the_reason(sink: SmtpSink, kind: str) -> None:
    _, text, html = mail_of(sink, kind, reason="<b>card</b> declined")

    assert "<b>card</b> declined" in text
    assert "&lt;b&gt;card&lt;/b&gt; declined" in html


@pytest.mark.django_db
def test_line_break_in_a_value_adds_no_header(sink: SmtpSink) -> None:
    mail_of(sink, "order_cancelled", order_id="7\r\nBcc: thief@example.com")

    assert sink.mails[-1]["Bcc"] is None
    assert sink.mails[-1]["Subject"] == "Your order 7 Bcc: thief@example.com was cancelled"
