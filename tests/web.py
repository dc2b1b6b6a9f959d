"""A real HTTP server in a thread that answers as it is told and keeps what it was asked."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Web:
    """`with Web() as web:` listens on `web.url`; every request gets `web.answers`' next, the last again and again.

    An answer is (status, body, headers); None closes the connection without one.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.hold = False
        """Whether it keeps everybody waiting until it is closed."""
        self._closing = threading.Event()
        self.answers: list[tuple[int, bytes, dict[str, str]] | None] = [(200, b"{}", {})]
        web = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                web.asked.append(Asked(self.command, self.path, headers, body))
                if web.hold:
                    web._closing.wait(30)
                    return
                told = web.answers.pop(0) if len(web.answers) > 1 else web.answers[0]
                if told is None:
                    self.close_connection = True
                    return
                self.send_response(told[0])
                for name, value in {"Content-Length": str(len(told[1])), **told[2]}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(told[1])

            do_GET = do_POST = answer

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, *told: int | None, body: Any = b"{}", headers: dict[str, str] | None = None) -> None:
        """The statuses of the next answers, with this body (JSON unless it is bytes); None: no answer at all."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers = [None if status is None else (status, content, headers or {}) for status in told]

    def __enter__(self) -> "Web":
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)
