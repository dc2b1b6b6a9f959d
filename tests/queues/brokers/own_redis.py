"""A Valkey of one test's own, which it may stop and start again on the same port."""

import signal
import subprocess
from pathlib import Path

import redis

from bharatmart.devservers.engine import valkey_server
from bharatmart.devservers.server import free_port
from tests.processes import wait_for


class OwnRedis:
    """Keeps nothing on disk: what was in it is gone when it is stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url)
        self.start()

    def start(self, *more: str) -> None:
        options = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": str(self.folder)}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen([str(valkey_server()), *words, *more], stdout=subprocess.DEVNULL)
        wait_for(self._answers)
        assert self.client.info("server")["process_id"] == self.process.pid

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(10)

    def pause(self) -> None:
        """From now on it takes connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.stop()
        self.client.close()
