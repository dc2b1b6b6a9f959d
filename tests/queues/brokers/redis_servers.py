"""Redis as it is deployed: a master with a replica and a Sentinel; a server behind TLS."""

import socket
import ssl
import subprocess
import threading
from pathlib import Path

import redis

from bharatmart.devservers.engine import valkey_server
from bharatmart.devservers.server import free_port
from tests.certificates import write_certificate
from tests.processes import wait_for
from tests.queues.brokers.own_redis import OwnRedis

MASTER = "mymaster"


class Watched:
    """A master and its replica, watched by a Sentinel that replaces a dead master within a second or two."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.master, self.replica = (OwnRedis(self._folder(name)) for name in ("master", "replica"))
        self.replica.client.replicaof("127.0.0.1", self.master.port)  # type: ignore[no-untyped-call]
        wait_for(lambda: self.replica.client.info("replication")["master_link_status"] == "up")
        self.port = free_port()
        self.url = f"sentinel://127.0.0.1:{self.port}/{MASTER}/0"
        self.sentinel = self._start_sentinel()

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def _start_sentinel(self) -> "subprocess.Popen[bytes]":
        config = self._folder("sentinel") / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {config.parent}\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {self.master.port} 1\n"
            f"sentinel down-after-milliseconds {MASTER} 500\nsentinel failover-timeout {MASTER} 2000\n"
        )
        command = [str(valkey_server()), str(config), "--sentinel"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(lambda: self._ask("num-other-sentinels", "flags") == ["0", "master"])
        wait_for(lambda: self._ask("num-slaves") == ["1"])
        return process

    def _ask(self, *fields: str) -> list[str]:
        with redis.Redis(port=self.port, decode_responses=True) as client:
            try:
                answer = client.sentinel_master(MASTER)  # type: ignore[no-untyped-call]
            except redis.RedisError:
                return []
        return [str(answer[field]) for field in fields]

    def close(self) -> None:
        self.sentinel.kill()
        self.sentinel.wait(10)
        self.master.close()
        self.replica.close()


class Tls:
    """Takes TLS connections on a port of its own and passes them on to a server without TLS."""

    def __init__(self, target_port: int, folder: Path) -> None:
        self.target_port = target_port
        self.certificate = write_certificate(folder / "redis.pem", "127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self.door = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.url = f"rediss://127.0.0.1:{self.door.getsockname()[1]}/0?ssl_ca_certs={self.certificate}"
        self.taken = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.door.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            self.taken += 1
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                client.close()
                continue
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()

    def close(self) -> None:
        self.door.close()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        source.close()
        sink.close()
