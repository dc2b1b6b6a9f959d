"""Who gets which server: clones apart, commands of one clone together."""

import os
import pwd
import socket
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from bharatmart.devservers.errors import FolderRefused
from bharatmart.devservers.place import Place
from tests.frame.clones import Clone, urls_in
from tests.frame.conftest import MakeClone


def test_two_clones_have_servers_of_their_own(make_clone: MakeClone) -> None:
    one, other = make_clone(), make_clone()

    urls, other_urls = one.start(), other.start()
    one.sql("CREATE TABLE only_here (id int)")
    one.redis().set("only", "here")
    other.redis().flushall()

    assert not set(urls.values()) & set(other_urls.values())
    assert other.sql("SELECT to_regclass('only_here')") == [(None,)]
    assert one.redis().get("only") == b"here"


def test_commands_at_once_share_one_server(clone: Clone) -> None:
    commands = [clone.popen() for _ in range(5)]

    urls = [urls_in(command.communicate(timeout=60)[0]) for command in commands]

    assert [command.returncode for command in commands] == [0] * 5
    assert urls == [urls[0]] * 5
    assert len(urls[0]) == 2
    servers = [p for p in psutil.process_iter(["cmdline"]) if clone.postgres.mark in (p.info["cmdline"] or [])]
    assert [server.pid for server in servers] == [clone.postgres.pid()]


def test_a_later_command_finds_the_same_server(running_clone: Clone) -> None:
    first = running_clone.start()
    pids = running_clone.postgres.pid(), running_clone.valkey.pid()

    assert running_clone.start() == first
    assert (running_clone.postgres.pid(), running_clone.valkey.pid()) == pids


def test_postgres_never_runs_as_root(running_clone: Clone) -> None:
    owner = psutil.Process(running_clone.postgres.pid()).uids().real
    assert owner == (pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid())


def test_the_role_is_no_superuser_and_the_database_is_utf8(running_clone: Clone) -> None:
    assert running_clone.sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]
    assert running_clone.sql("SHOW server_encoding") == [("UTF8",)]
    assert running_clone.sql("SHOW max_connections") == [("300",)]
    assert running_clone.sql("SHOW fsync") == [("on",)]


def test_valkey_evicts_and_saves_nothing(running_clone: Clone) -> None:
    with running_clone.redis() as valkey:
        assert valkey.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert valkey.config_get("save") == {"save": ""}


def test_nobody_enters_postgres_without_the_password(running_clone: Clone) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{running_clone.postgres.port}/bharatmart")


def test_nobody_enters_valkey_without_the_password(running_clone: Clone) -> None:
    stranger = redis.Redis(port=running_clone.valkey.port)

    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_a_taken_port_is_left_to_its_owner(running_clone: Clone) -> None:
    port = running_clone.valkey.port
    assert running_clone.run("stop") == (0, "")

    with socket.create_server(("127.0.0.1", port)):
        running_clone.start()

    assert running_clone.valkey.port != port
    assert running_clone.redis().ping()


def test_a_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path / "servers", tmp_path)
    place.root.mkdir()
    place.root.chmod(0o777)

    with pytest.raises(FolderRefused, match="is not ours alone"):
        place.prepare()


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    place = Place(tmp_path / "servers", tmp_path)
    place.root.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FolderRefused):
        place.prepare()
