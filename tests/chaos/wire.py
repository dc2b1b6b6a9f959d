"""The wire between shop and gateway; while it is silent, requests still arrive and answers are lost."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field

CHUNK = 65_536


@dataclass
class Wire:
    """Listens on a port of its own and passes everything on to the gateway's."""

    target: int
    silent: bool = False
    lost: int = 0  # answers to requests that may have had an effect
    door: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=128))

    def start(self) -> str:
        """Serve in the background; the URL."""
        threading.Thread(target=self._serve, daemon=True, name="wire").start()
        return f"http://127.0.0.1:{self.door.getsockname()[1]}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.door.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True, name="wire").start()

    def _pass(self, client: socket.socket) -> None:
        """One connection: requests go up in a thread of their own, answers come down here."""
        with contextlib.suppress(OSError), client, self._call_gateway() as gateway:
            up = threading.Thread(target=self._send_up, args=(client, gateway), daemon=True, name="wire")
            up.start()
            self._bring_down(gateway, client)
            up.join(30)

    def _call_gateway(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.target), timeout=30)

    def _send_up(self, client: socket.socket, gateway: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(CHUNK):
                gateway.sendall(data)
            gateway.shutdown(socket.SHUT_RDWR)

    def _bring_down(self, gateway: socket.socket, client: socket.socket) -> None:
        while data := gateway.recv(CHUNK):
            if self.silent:
                self.lost += data.startswith(b"HTTP/")
            else:
                client.sendall(data)
        if not self.silent:
            client.shutdown(socket.SHUT_RDWR)
