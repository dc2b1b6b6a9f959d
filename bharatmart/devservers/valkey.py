"""Valkey of our own: evicts nothing, keeps nothing on disk, on 127.0.0.1 with a password."""

import secrets
import signal
import socket
from pathlib import Path

from bharatmart.devservers.engine import valkey_server
from bharatmart.devservers.server import Server

SETTINGS = """
port {port}
bind 127.0.0.1
requirepass {password}
maxmemory-policy noeviction
save ""
appendonly no
dir "{folder}"
pidfile "{pid_file}"
set-proc-title no
"""


class Valkey(Server):
    """One Valkey below `root`; `name` tells several apart (tests use one for each test process)."""

    gentle = signal.SIGTERM

    def __init__(self, root: Path, name: str = "valkey") -> None:
        super().__init__(root / name)
        self.config = self.folder / "valkey.conf"
        self.secret = self.folder / "password"

    @property
    def pid_file(self) -> Path:
        return self.folder / "valkey.pid"

    @property
    def mark(self) -> str:
        return str(self.config)

    @property
    def url(self) -> str:
        return f"redis://:{self.secret.read_text()}@127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.log.unlink(missing_ok=True)
        if not self.secret.exists():
            self.secret.touch(mode=0o600)
            self.secret.write_text(secrets.token_hex(16))

    def command(self, port: int) -> list[str]:
        password = self.secret.read_text()
        text = SETTINGS.format(port=port, password=password, folder=self.folder, pid_file=self.pid_file)
        self.config.touch(mode=0o600)
        self.config.write_text(text)
        return [str(valkey_server()), str(self.config)]

    def complete(self) -> None:
        """Nothing: there is no role and no database to make."""

    def is_ours(self, pid: int) -> bool:
        """The server's own pid, and the configuration that it read."""
        lines = self._info().split("\r\n")
        return f"process_id:{pid}" in lines and f"config_file:{self.mark}" in lines

    def _info(self) -> str:
        """`INFO server` over a bare socket: every command passes here, and redis-py is slow to load."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as door, door.makefile("rb") as answer:
                door.sendall(f"AUTH {self.secret.read_text()}\r\nINFO server\r\nQUIT\r\n".encode())
                return answer.read().decode(errors="replace")
        except OSError:
            return ""
