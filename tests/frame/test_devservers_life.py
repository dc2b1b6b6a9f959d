"""Crashes of the servers and of those who use them, and the end of servers that nobody uses."""

import os
import shutil
import signal
import time

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
    assert running_clone.postgres.port == port
    assert running_clone.sql("SELECT number FROM kept") == [(7,)]


def test_a_killed_valkey_comes_back_under_its_url(running_clone: Clone) -> None:
    urls = running_clone.start()
    pid = running_clone.valkey.pid()
    assert pid

    os.kill(pid, signal.SIGKILL)

    assert running_clone.start() == urls
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
    with clone.popen("run", "sh", "-c", "sleep 3") as user:
        wait_until(lambda: clone.postgres.pid() and clone.valkey.pid())
        assert user.wait() == 0  # three times the idle time has passed
        assert clone.postgres.pid()

        wait_until(lambda: not (processes_of(clone)), seconds=10)

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
    wait_until(lambda: any("keeper" in " ".join(line) for line in processes_of(clone)))
    keeper_has_looked = 1.5
    time.sleep(keeper_has_looked)

    gone = clone.place.root.rename(clone.place.root.with_suffix(".gone"))
    try:
        wait_until(lambda: not processes_of(clone))
    finally:
        shutil.rmtree(gone)


def processes_of(clone: Clone) -> list[list[str]]:
    """The command lines of everything that runs for this clone."""
    lines = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if any(str(clone.place.root) in word for word in line)]
