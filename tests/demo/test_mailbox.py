"""The demo's mail server keeps what it is given, and the demo knows the kinds of mail apart."""

import os
import signal
import smtplib
import socket
import sys
from email.message import EmailMessage
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from bharatmart.demo.mailbox import SUBJECTS, Mailbox, pdfs_of
from bharatmart.demo.supervisor import Child, Supervisor
from notifications import messages


def receipt(pdf: bytes, order_id: int = 7) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = f"Receipt for order {order_id}: ₹957.00 paid"
    mail["From"], mail["To"] = "shop@bharatmart.example", "asha@bharatmart.example"
    mail.set_content("नमस्ते")
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename="BM-2026-27-000001.pdf")
    return mail


def kill_and_wait_for_the_next(child: Child, supervisor: Supervisor) -> None:
    killed = child.pid
    os.kill(killed, signal.SIGKILL)
    supervisor.wait_until(lambda: child.pid != killed, 20, "the next mailbox")


def test_mails_are_kept_as_files_also_by_a_server_that_was_killed_between_them(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    folder.mkdir()
    mailbox = Mailbox(folder)
    door = socket.create_server(("127.0.0.1", 0))
    command = [sys.executable, "-m", "bharatmart.demo.mailbox", "--fd", str(door.fileno()), "--folder", str(folder)]
    with door, Supervisor(tmp_path) as supervisor:
        child = supervisor.start("mailbox", command, os.environ, [door.fileno()])
        for order_id in (7, 8):
            with smtplib.SMTP(*door.getsockname(), timeout=30) as client:  # type: ignore[misc]
                client.send_message(receipt(b"%PDF-1.7 ...", order_id))
            kill_and_wait_for_the_next(child, supervisor)

    assert [str(mail["To"]) for mail in mailbox.mails()] == ["asha@bharatmart.example"] * 2
    assert [path.name[:28] for path in sorted(folder.iterdir())] == [
        "00001-receipt-for-order-7-95",
        "00002-receipt-for-order-8-95",
    ]
    assert [pdfs_of(mail) for mail in mailbox.find("payment_receipt", 8)] == [[b"%PDF-1.7 ..."]]
    assert mailbox.find("payment_receipt", 9) == mailbox.find("order_cancelled", 8) == []


def test_attachment_that_does_not_begin_as_a_pdf_is_none() -> None:
    assert pdfs_of(receipt(b"<html>")) == []


@pytest.mark.parametrize("kind", SUBJECTS)
def test_kinds_are_told_by_the_subjects_of_the_templates(kind: str) -> None:
    facts = {"order_id": 7, "shop": "BharatMart", "total": "₹957.00", "amount": "₹289.00"}
    subject = messages.render_subject(kind, facts | {"note_number": "BMC/26-27/000001"})

    matching = [known for known, words in SUBJECTS.items() if fnmatchcase(subject, words.format(order_id=7))]
    assert matching == [kind]
