"""The mail server of the benchmark: notes when which mail came, and keeps nothing else. Started as the demo's is."""

import time
from email import policy
from email.parser import BytesHeaderParser
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from bharatmart.demo.mailbox import Keeper, main

ARRIVED = "arrived"
_headers = BytesHeaderParser(policy=policy.default)


class Sink(Keeper):
    """A line of time and subject a mail."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        subject = str(_headers.parsebytes(cast(bytes, envelope.content))["Subject"])
        with (self.mailbox.folder / ARRIVED).open("a") as file:
            file.write(f"{time.time()} {subject}\n")
        return "250 noted"


if __name__ == "__main__":
    main(Sink)
