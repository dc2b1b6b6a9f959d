"""A mail server that keeps what it is given: `python -m bharatmart.demo.mailbox --fd N --folder F`.

It listens on the inherited socket N of the demo and writes each mail to a file of its own, as it came.
"""

import argparse
import asyncio
import os
import re
import signal
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

# How each kind of mail words its subject (templates/notifications/<kind>/subject.txt).
SUBJECTS = {
    "welcome": "नमस्ते! Welcome to *",
    "order_confirmation": "Your order {order_id} at *",
    "payment_receipt": "Receipt for order {order_id}: *",
    "payment_failed": "Payment for order {order_id} did not go through",
    "order_cancelled": "Your order {order_id} was cancelled",
    "shipping_notification": "Your order {order_id} is on its way",
    "return_approved": "You may send goods of order {order_id} back",
    "refund_issued": "Refund for order {order_id}: *",
    "credit_note": "Credit note * for order {order_id}",
}


class Mailbox:
    """The folder with the mails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, EmailMessage] = {}

    def keep(self, content: bytes) -> Path:
        """Write a mail to the next file, whole or not at all; its path."""
        mail = message_from_bytes(content, policy=policy.default)
        words = re.sub(r"[^a-z0-9]+", "-", str(mail["Subject"] or "").lower()).strip("-")[:60]
        half = self.folder / ".half"
        half.write_bytes(content)
        path = self.folder / f"{len(self._files()) + 1:05}-{words or 'mail'}.eml"
        half.rename(path)
        return path

    def mails(self) -> list[EmailMessage]:
        """All mails, oldest first."""
        for path in self._files():
            if path not in self._read:
                self._read[path] = message_from_bytes(path.read_bytes(), policy=policy.default)
        return list(self._read.values())

    def find(self, kind: str, order_id: int | None = None) -> list[EmailMessage]:
        """The mails of a kind, about an order."""
        subject = SUBJECTS[kind].format(order_id=order_id)
        return [mail for mail in self.mails() if fnmatchcase(str(mail["Subject"]), subject)]

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.eml"))


def pdfs_of(mail: EmailMessage) -> list[bytes]:
    """The attachments that are declared as PDF and begin as one."""
    parts = [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    contents = [part.get_payload(decode=True) for part in parts]
    return [content for content in contents if isinstance(content, bytes) and content.startswith(b"%PDF-")]


class Keeper:
    """aiosmtpd's handler: takes every mail."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        path = self.mailbox.keep(cast(bytes, envelope.content))
        print(f"{', '.join(envelope.rcpt_tos)}: {path.name}", flush=True)
        return "250 kept"


async def serve(door: socket.socket, keeper: Keeper) -> None:
    """Take mails until SIGTERM."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(
        lambda: SMTP(keeper, hostname="demo.bharatmart.example", enable_SMTPUTF8=True, loop=loop), sock=door
    )
    await stop.wait()
    server.close()


def main(kind: type[Keeper] = Keeper) -> None:
    parser = argparse.ArgumentParser(prog="python -m bharatmart.demo.mailbox", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the descriptor of a listening socket")
    parser.add_argument("--folder", type=Path, required=True, help="where the mails are kept")
    options = parser.parse_args()
    os.umask(0o077)
    asyncio.run(serve(socket.socket(fileno=options.fd), kind(Mailbox(options.folder))))


if __name__ == "__main__":
    main()
