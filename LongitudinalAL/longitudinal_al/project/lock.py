"""Locks that vanish with their holder: one process prepares or trains, one worker thinks."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from longitudinal_al.errors import ProjectBusy, StorageFailed
from longitudinal_al.project.files import read_json, remove_leftovers, write_json
from longitudinal_al.project.records import utc_now


@dataclass(frozen=True)
class _Lock:
    """A lock of a project's folder: its file, who is thought to hold it, and what others are told."""

    file: str
    unknown: str
    known: str
    advice: str

    @property
    def holder_file(self) -> str:
        return f"{self.file}.json"


_WRITER = _Lock(
    "project.lock",
    "is busy: another process has to finish",
    "is busy: process {process} on {computer} is {purpose} since {since}; it has to finish",
    "(or be stopped) first; then run the same command again",
)
_WORKER = _Lock(
    "worker.lock",
    "has a worker already:",
    "has a worker already (process {process} on {computer}, since {since}):",
    "one is enough for a project; close the program that started it if you need another",
)


@contextmanager
def writer_lock(folder: Path, purpose: str) -> Iterator[None]:
    """Hold the folder's lock for preparing and training, or fail at once with `ProjectBusy`.

    The lock is SQLite's exclusive lock on an empty side file: the system itself takes it back when the holder
    ends or is killed, on Windows and Linux alike, so it is never stale. Labels can be saved meanwhile.

    Parameters
    ----------
    folder
        The project's folder.
    purpose
        What the holder does, as a word for the message to others, such as "preparing".
    """
    with _held(folder, _WRITER, purpose):
        remove_leftovers(folder)  # of writers that were killed
        yield


@contextmanager
def worker_lock(folder: Path) -> Iterator[None]:
    """Be the folder's one worker, or fail at once with `ProjectBusy`; independent of `writer_lock`.

    Parameters
    ----------
    folder
        The project's folder.
    """
    with _held(folder, _WORKER, "thinking"):
        yield


@contextmanager
def _held(folder: Path, lock: _Lock, purpose: str) -> Iterator[None]:
    connection = _take(folder, lock)
    try:
        _tell_others(folder, lock, purpose)
        yield
    finally:
        with suppress(OSError):
            (folder / lock.holder_file).unlink(missing_ok=True)
        connection.close()


def _tell_others(folder: Path, lock: _Lock, purpose: str) -> None:
    """Leave a note for the others' message; a folder where that fails is no place to prepare or train in."""
    try:
        write_json(folder / lock.holder_file, _note(purpose), within=folder)
    except StorageFailed:
        if lock is _WRITER:
            raise


def _take(folder: Path, lock: _Lock) -> sqlite3.Connection:
    path = folder / lock.file
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        connection.execute("PRAGMA journal_mode=MEMORY")  # nothing is written: leave no journal behind
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        if connection is not None:
            connection.close()
        if "is locked" in str(error):
            raise ProjectBusy(_busy_message(folder, lock)) from error
        raise StorageFailed(f"cannot lock {path}: {error}; check the permissions of the folder") from error
    return connection


def _note(purpose: str) -> dict[str, object]:
    return {
        "purpose": purpose,
        "process": os.getpid(),
        "computer": platform.node(),
        "since": utc_now().isoformat(),
    }


def _busy_message(folder: Path, lock: _Lock) -> str:
    note = read_json(folder / lock.holder_file)
    who = lock.unknown
    if isinstance(note, dict):
        words = {key: note.get(key, "?") for key in ("process", "computer", "purpose", "since")}
        who = lock.known.format_map(words)
    return f"{folder} {who} {lock.advice}"
