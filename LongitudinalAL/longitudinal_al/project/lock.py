"""One process at a time prepares or trains: a lock that vanishes with its holder."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from longitudinal_al.errors import ProjectBusy, StorageFailed
from longitudinal_al.project.files import read_json, write_json
from longitudinal_al.project.records import utc_now

LOCK_FILE = "project.lock"
HOLDER_FILE = "project.lock.json"


@contextmanager
def writer_lock(folder: Path, purpose: str) -> Iterator[None]:
    """Hold the folder's lock, or fail at once with `ProjectBusy`.

    The lock is SQLite's exclusive lock on an empty side file: the system itself takes it back when the holder
    ends or is killed, on Windows and Linux alike, so it is never stale. Labels can be saved meanwhile.

    Parameters
    ----------
    folder
        The project's folder.
    purpose
        What the holder does, as a word for the message to others, such as "preparing".
    """
    connection = _take(folder)
    try:
        with suppress(StorageFailed):  # the note is only for the others' message
            write_json(folder / HOLDER_FILE, _note(purpose))
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER_FILE).unlink(missing_ok=True)
        connection.close()


def _take(folder: Path) -> sqlite3.Connection:
    path = folder / LOCK_FILE
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        connection.execute("PRAGMA journal_mode=MEMORY")  # nothing is written: leave no journal behind
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        if connection is not None:
            connection.close()
        if "is locked" in str(error):
            raise ProjectBusy(_busy_message(folder)) from error
        raise StorageFailed(f"cannot lock {path}: {error}; check the permissions of the folder") from error
    return connection


def _note(purpose: str) -> dict[str, object]:
    return {
        "purpose": purpose,
        "process": os.getpid(),
        "computer": platform.node(),
        "since": utc_now().isoformat(),
    }


def _busy_message(folder: Path) -> str:
    note = read_json(folder / HOLDER_FILE)
    who = "another process"
    if isinstance(note, dict):
        who = "process {process} on {computer} is {purpose} since {since}; it".format_map(
            {key: note.get(key, "?") for key in ("process", "computer", "purpose", "since")}
        )
    return f"{folder} is busy: {who} has to finish (or be stopped) first; then run the same command again"
