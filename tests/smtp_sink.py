"""A real SMTP server in a thread that keeps its mails and fails when told to."""

import asyncio
import contextlib
import threading
from collections import deque
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

RECIPIENT = "recipient"
CONTENT = "content"


class SmtpSink:
    """`with SmtpSink() as sink:` listens on 127.0.0.1:`sink.port`; `sink.mails` are the mails it has taken.

    `fail_next("451")` refuses the next mail after its content; `at=RECIPIENT` refuses at RCPT already.
    `fail_next("disconnect")` drops the connection instead of answering, `fail_next("disconnect", keep=True)`
    after the mail was kept, so that the sender cannot know. `times=` repeats it.
    """

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self._faults: deque[tuple[str, str, bool]] = deque()

    def fail_next(self, answer: str, *, at: str = CONTENT, keep: bool = False, times: int = 1) -> None:
        self._faults.extend([(answer, at, keep)] * times)

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["X-Rcpt"] == address]

    def __enter__(self) -> "SmtpSink":
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(self._loop.create_server(self._connection, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp-sink", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _connection(self) -> SMTP:
        self.connections += 1
        return SMTP(self, hostname="sink.test", enable_SMTPUTF8=True, loop=self._loop)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: Any) -> str:
        if self._faults and self._faults[0][1] == RECIPIENT:
            return f"{self._faults.popleft()[0]} told to refuse this recipient"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer, _, keep = self._faults.popleft() if self._faults else ("250", CONTENT, True)
        if keep:
            self._keep(envelope)
        if answer == "disconnect":
            cast(asyncio.Transport, server.transport).abort()
        return f"{answer} told to"

    def _keep(self, envelope: Envelope) -> None:
        mail = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
        mail["X-Rcpt"] = ", ".join(envelope.rcpt_tos)
        self.mails.append(mail)
