"""E-mail over SMTP, as HTML with a complete text version."""

import smtplib
from email.utils import parseaddr
from hashlib import sha256

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from ..errors import Refused
from ..messages import Message


def message_id_for(key: str) -> str:
    """The same for the same key, so that a mail server or reader can drop a copy (RFC 5322, 3.6.4)."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def send(message: Message) -> None:
    """Hand the message to the mail server; on return the server has taken it.

    Raises Refused for a permanent no (5xx to the recipient or the content), and OSError or
    smtplib.SMTPException for what another attempt may mend.
    """
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        to=[message.to],
        headers={"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(message.html, "text/html")
    for name, content, mime_type in message.attachments:
        mail.attach(name, content, mime_type)
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, reason = next(iter(error.recipients.values()))
        _refuse_if_permanent(code, reason)
        raise
    except smtplib.SMTPDataError as error:
        _refuse_if_permanent(error.smtp_code, error.smtp_error)
        raise


def _refuse_if_permanent(code: int, reason: bytes | str) -> None:
    if 500 <= code < 600:
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        raise Refused(f"{code} {text}")
