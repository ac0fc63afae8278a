"""Files that are written whole or not at all: a temporary sibling, fsync, then one rename."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from longitudinal_al.errors import StorageFailed

_TEMPORARY = re.compile(r"\.[0-9a-f]{8}\.tmp\.")
_LEFTOVER_SECONDS = 86_400
HELD_SECONDS = 2.0
"""So long another program may hold a file on Windows, which cannot be replaced meanwhile."""
_NAP_SECONDS = 0.02
_ON_WINDOWS = os.name == "nt"
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def storage_failed(path: Path, error: OSError) -> StorageFailed:
    """Turn an operating system's error on `path` into a message that says what to do next."""
    if error.errno in _FULL:
        what = "the disk is full: free some space and run the same command again"
    elif error.errno in _FORBIDDEN:
        what = "writing there is not allowed (or another program has the file open): check the permissions"
    elif isinstance(error, FileExistsError | NotADirectoryError):
        what = "there is a file where a folder is needed: choose another place"
    else:
        what = f"{error.strerror or error}: check that the disk is there"
    return StorageFailed(f"cannot write {path}: {what}; what was saved before is intact")


def write_atomically(path: Path, write: Callable[[Path], None], *, within: Path | None = None) -> None:
    """Write a file whole or not at all; missing parent folders are made.

    Parameters
    ----------
    path
        The file to be. An older one is replaced in one step, once the new one is safely on the disk.
    write
        Writes everything to the path that it is given: a temporary sibling whose name ends as `path` does,
        so that libraries which choose the format by the suffix choose the same.
    within
        A folder that has to be there: only what is missing below it is made. A project that was deleted or
        moved away under a program is not begun anew by one of its files.

    Raises
    ------
    StorageFailed
        When the disk is full, read-only or gone. Errors of `write` that are no `OSError` pass through;
        either way the older file is untouched and nothing is left behind.
    """
    temporary = path.with_name(f".{secrets.token_hex(4)}.tmp.{path.name}")
    try:
        make_folder(path.parent, within)
        write(temporary)
        _sync_file(temporary)
        _put_in_place(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        _discard(temporary)
        raise storage_failed(path, error) from error
    except BaseException:  # Ctrl-C too must leave nothing behind
        _discard(temporary)
        raise


def is_there(path: Path) -> bool:
    """Tell whether a file or folder can be looked at; on a share that is mounted and dead even that fails."""
    try:
        path.stat()
    except OSError:
        return False
    return True


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files in a project's folders whose writer was killed, once they are a day old."""
    for pattern in ("", "models/", "rounds/", "pairs/*/"):
        for path in folder.glob(f"{pattern}.*.tmp.*"):
            with suppress(OSError):  # gone meanwhile, or held by a program that still writes it
                if _TEMPORARY.match(path.name) and time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                    path.unlink()


def make_folder(folder: Path, within: Path | None = None) -> None:
    """Make a folder and those above it where they are missing, to last through a power loss.

    `within`, if given, is not made, nor what is above it.

    Raises
    ------
    OSError
        As the system says it; `storage_failed` puts it into words.
    """
    if folder.is_dir():
        return
    if folder == within:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    if folder.parent != folder:  # a drive that is not there is its own parent
        make_folder(folder.parent, within)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _put_in_place(temporary: Path, path: Path) -> None:
    """Rename; on Windows wait a little for a virus scanner or a reader that holds the older file."""
    last = time.monotonic() + HELD_SECONDS
    while _ON_WINDOWS and time.monotonic() < last:
        with suppress(PermissionError):
            temporary.replace(path)
            return
        time.sleep(_NAP_SECONDS)
    temporary.replace(path)


def _sync_file(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can (Windows and some network shares cannot)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(descriptor)


def _discard(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return  # the disk is gone; the error that brought us here says so


def write_json(path: Path, obj: object, *, within: Path | None = None) -> None:
    """Write `obj` as JSON, whole or not at all (see `write_atomically`)."""
    write_text(path, json_text(obj) + "\n", within=within)


def write_text(path: Path, text: str, *, within: Path | None = None) -> None:
    """Write a text in UTF-8, its line ends as they are, whole or not at all (see `write_atomically`)."""
    write_bytes(path, text.encode("utf-8"), within=within)


def write_bytes(path: Path, content: bytes, *, within: Path | None = None) -> None:
    """Write what is in memory, whole or not at all (see `write_atomically`)."""

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_atomically(path, write, within=within)


def read_json(path: Path) -> Any:
    """Read a JSON file; `None` when it is missing or damaged, since such files can be made again."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def json_text(obj: object, *, indent: int | None = 1, ascii_only: bool = False) -> str:
    """Give `obj` as JSON text; NaN and infinities become null, numpy values and paths plain ones."""
    return json.dumps(_plain(obj), ensure_ascii=ascii_only, allow_nan=False, indent=indent)


def _plain(obj: object) -> object:
    if isinstance(obj, (np.generic, np.ndarray)):
        return _plain(obj.tolist())
    if isinstance(obj, Path):
        return obj.as_posix()
    if isinstance(obj, float):
        return obj if math.isfinite(obj) else None
    if isinstance(obj, Mapping):
        return {str(key): _plain(value) for key, value in obj.items()}
    if isinstance(obj, (list, tuple, set, frozenset)):
        return [_plain(value) for value in obj]
    return obj
