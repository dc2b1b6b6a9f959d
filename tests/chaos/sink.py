"""The mail server: keeps mails as the demo's does, and answers 451 while the file `busy` lies in its folder.

`python -m tests.chaos.sink --fd N --folder F`. It takes a moment before and after it keeps a mail, as real ones do:
a sender that dies in the latter has sent, and has not recorded it.
"""

import asyncio
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from bharatmart.demo.mailbox import Keeper, main

MOMENT = 0.04  # seconds
BUSY = "busy"
REFUSED = "refused"  # grows by a byte with each 451


class Sink(Keeper):
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if (self.mailbox.folder / BUSY).exists():
            with (self.mailbox.folder / REFUSED).open("ab") as refused:
                refused.write(b".")
            return "451 too busy, come back later"
        await asyncio.sleep(MOMENT)
        self.mailbox.keep(cast(bytes, envelope.content))
        await asyncio.sleep(MOMENT)
        return "250 kept"


if __name__ == "__main__":
    main(Sink)
