"""Crashes of the servers and of those who use them, and the end of servers that nobody uses."""

import os
import shutil
import signal
import socket

import psutil

from tests.frame.clones import Clone, wait_until
from tests.frame.conftest import MakeClone


def test_a_killed_postgres_comes_back_with_its_data(running_clone: Clone) -> None:
    running_clone.sql("CREATE TABLE kept AS SELECT 7 AS number")
    port, pid = running_clone.postgres.port, running_clone.postgres.pid()
    assert pid

    os.kill(pid, signal.SIGKILL)
    running_clone.start()

    assert running_clone.postgres.pid() not in (None, pid)
    assert running_clone.postgres.port == port or is_taken(port)
    assert running_clone.sql("SELECT number FROM kept") == [(7,)]


def test_a_killed_valkey_comes_back_under_its_url(running_clone: Clone) -> None:
    urls = running_clone.start()
    port, pid = running_clone.valkey.port, running_clone.valkey.pid()
    assert pid

    os.kill(pid, signal.SIGKILL)

    assert running_clone.start() == urls or is_taken(port)
    assert running_clone.redis().ping()


def test_a_server_that_hangs_is_replaced(running_clone: Clone) -> None:
    pid = running_clone.valkey.pid()
    assert pid
    os.kill(pid, signal.SIGSTOP)

    running_clone.start()

    assert running_clone.valkey.pid() not in (None, pid)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_pid_that_passed_to_another_process_is_not_adopted(running_clone: Clone) -> None:
    assert running_clone.run("stop") == (0, "")
    running_clone.postgres.pid_file.write_text(f"{os.getpid()}\n")
    running_clone.valkey.pid_file.write_text(f"{os.getpid()}\n")

    running_clone.start()

    assert running_clone.postgres.pid() != os.getpid()
    assert running_clone.sql("SELECT 1") == [(1,)]
    assert running_clone.redis().ping()


def test_a_killed_initdb_leaves_nothing_in_the_way(clone: Clone) -> None:
    clone.place.prepare()
    clone.postgres.folder.mkdir(mode=0o700)
    (clone.postgres.folder / "data.half").mkdir()
    (clone.postgres.folder / "data.half" / "PG_VERSION").write_text("18\n")

    clone.start()

    assert clone.sql("SELECT 1") == [(1,)]


def test_servers_stop_when_nobody_uses_them(make_clone: MakeClone) -> None:
    clone = make_clone(idle=1.0)
    three_idle_times = "sleep 3"
    both_live = " && ".join(f'kill -0 "$(head -n1 {server.pid_file})"' for server in (clone.postgres, clone.valkey))
    with clone.popen("run", "sh", "-c", f"{three_idle_times}; {both_live}") as user:
        assert user.wait() == 0

    wait_until(lambda: not processes_of(clone))

    clone.start()
    assert clone.sql("SELECT 1") == [(1,)]


def test_a_killed_user_does_not_keep_the_servers(make_clone: MakeClone) -> None:
    clone = make_clone(idle=1.0)
    with clone.popen("run", "sleep", "60") as user:
        wait_until(clone.place.root.exists)
        wait_until(lambda: clone.valkey.pid() and clone.place.is_used())

        user.kill()

    wait_until(lambda: not processes_of(clone))


def test_a_child_that_outlives_its_parent_keeps_the_servers(running_clone: Clone) -> None:
    with running_clone.popen("run", "sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!") as parent:
        child = int(parent.communicate(timeout=60)[0].split()[-1])
    try:
        assert running_clone.place.is_used()
        assert running_clone.run("stop") == (1, "The servers are in use by another command; end it first.\n")
        assert running_clone.postgres.pid()
    finally:
        os.kill(child, signal.SIGKILL)
    wait_until(lambda: not running_clone.place.is_used())
    assert running_clone.run("stop") == (0, "")
    assert not running_clone.postgres.pid()


def test_a_deleted_clone_takes_its_servers_with_it(clone: Clone) -> None:
    clone.start()

    shutil.rmtree(clone.folder)

    wait_until(lambda: not processes_of(clone))
    wait_until(lambda: not clone.place.root.exists())


def test_servers_whose_folder_was_deleted_end(clone: Clone) -> None:
    clone.start()
    (keeper,) = [one for one in processes_of(clone) if "bharatmart.devservers.keeper" in one.info["cmdline"]]
    sleeps = keeper.num_ctx_switches().voluntary
    wait_until(lambda: keeper.num_ctx_switches().voluntary >= sleeps + 3)  # it has looked, and slept after that

    gone = clone.place.root.rename(clone.place.root.with_suffix(".gone"))
    try:
        wait_until(lambda: not processes_of(clone))
    finally:
        shutil.rmtree(gone)


def processes_of(clone: Clone) -> list[psutil.Process]:
    """Everything that runs for this clone."""
    root = str(clone.place.root)
    return [one for one in psutil.process_iter(["cmdline"]) if any(root in word for word in one.info["cmdline"] or [])]


def is_taken(port: int) -> bool:
    """By somebody else, while our server was away."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
