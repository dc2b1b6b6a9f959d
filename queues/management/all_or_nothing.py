"""Writing several files so that either all are there or none was touched."""

from collections.abc import Mapping
from pathlib import Path


def write_files(files: Mapping[Path, str]) -> None:
    """Write these texts; if one cannot be written, all are as before, and the error goes on."""
    before = {path: path.read_bytes() if path.is_file() else None for path in files}
    made = [path.parent for path in files if not path.parent.exists()]
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    except BaseException:
        for path, old in before.items():
            _restore(path, old)
        for folder in made:
            if folder.is_dir():
                folder.rmdir()
        raise


def _restore(path: Path, old: bytes | None) -> None:
    if old is not None:
        path.write_bytes(old)
    elif path.is_file():
        path.unlink()
