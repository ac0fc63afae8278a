"""One connection to a SQLite file: how it is opened, how a transaction runs, what its errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from longitudinal_al.errors import LongitudinalALError, ProjectBusy, ProjectDamaged, StorageFailed

BUSY_SECONDS = 10.0
_JOURNAL_BYTES = 1 << 20  # what a large transaction may leave lying there
_INTACT = "what was saved before is intact"

# SQLite's own sentences, since Python 3.10 does not give the error's number.
_MEANINGS: tuple[tuple[str, type[LongitudinalALError], str], ...] = (
    (
        "is locked",
        ProjectBusy,
        "another program is writing there: wait for it to finish, then do the same again",
    ),
    ("locking protocol", ProjectBusy, "another program is writing there: wait, then do the same again"),
    ("disk is full", StorageFailed, f"the disk is full: free some space and do the same again; {_INTACT}"),
    ("readonly", StorageFailed, f"the file or its folder is read-only: check the permissions; {_INTACT}"),
    (
        "disk I/O error",
        StorageFailed,
        f"the disk is full, failing or gone: check it and do the same again; {_INTACT}",
    ),
    (
        "unable to open",
        StorageFailed,
        f"the file or its folder cannot be opened: check the permissions; {_INTACT}",
    ),
)


def damaged(path: Path, what: object) -> ProjectDamaged:
    """Say that a project's file is damaged, and what to do; nothing is deleted or changed by the program."""
    return ProjectDamaged(
        f"{path} is damaged ({what}). Nothing was changed. Keep a copy of the file, then put back your last "
        f"backup of {path.name}, or recover what is readable with SQLite's own tool: "
        f'sqlite3 {path.name} ".recover" | sqlite3 recovered.sqlite'
    )


def gone(path: Path) -> StorageFailed:
    """Say that a project's file was taken away while it was open, and what to do."""
    return StorageFailed(
        f"{path} is gone: its folder was deleted, renamed or disconnected while it was open. Bring "
        "it back, open the project again, and save once more what was not saved yet"
    )


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about `path` into the engine's own."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # a fault of the program, not of the file
    except sqlite3.DatabaseError as error:
        if not path.exists():
            raise gone(path) from error
        for sentence, kind, advice in _MEANINGS:
            if sentence in str(error):
                raise kind(f"{path}: {advice} (SQLite: {error})") from error
        raise damaged(path, error) from error


class Database:
    """An open SQLite file with the settings that a project needs.

    A rollback journal and not a write-ahead log, because projects lie on network shares; `synchronous=FULL`,
    so that what was acknowledged is on the disk. At the end of a transaction the journal's head is zeroed
    and synced, not the journal deleted, as only the former is made durable by every system: a deleted journal
    may come back after a power loss, and take the last transaction back. Used from the thread that opened it.

    Parameters
    ----------
    path
        The file, made where it is missing.
    timeout
        How many seconds to wait for another process that is writing.
    temporary
        Whether the file is thrown away if this process ends before it is closed, and so needs no journal.
    """

    def __init__(self, path: Path, timeout: float = BUSY_SECONDS, *, temporary: bool = False) -> None:
        self.path = path
        self._journal = "MEMORY" if temporary else "PERSIST"
        self._timeout = timeout
        with translated(path):
            self._connection = sqlite3.connect(path, timeout=timeout, isolation_level=None)
        try:
            self._configure()
        except BaseException:
            self._connection.close()
            raise

    def _configure(self) -> None:
        self._connection.row_factory = sqlite3.Row
        with translated(self.path):
            for setting in (
                "synchronous=FULL",
                f"journal_mode={self._journal}",
                f"journal_size_limit={_JOURNAL_BYTES}",
                "foreign_keys=ON",
                "trusted_schema=OFF",  # a file from elsewhere must not run functions through its schema
                "cell_size_check=ON",
            ):
                self._connection.execute(f"PRAGMA {setting}")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Run one reading statement and fetch everything, so that no lock outlives the call."""
        with translated(self.path):
            return self._connection.execute(sql, parameters).fetchall()

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row."""
        return self.rows(sql, parameters)[0][0]

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write everything inside or nothing; a busy file fails at once, before any work."""
        with translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def without_waiting(self) -> Iterator[None]:
        """Let what is busy fail at once inside, in the place of waiting for it."""
        self._connection.execute("PRAGMA busy_timeout=0")
        try:
            yield
        finally:
            self._connection.execute(f"PRAGMA busy_timeout={round(1000 * self._timeout)}")

    def copy_to(self, path: Path) -> None:
        """Copy the whole file to `path` (SQLite's own backup, consistent while others write)."""
        with translated(path):
            target = sqlite3.connect(path)
            try:
                self._connection.backup(target)
            finally:
                target.close()

    def snapshot(self) -> Database:
        """Return a copy of the whole file in memory, consistent while others write; the file is only read."""
        copy = Database(Path(":memory:"))
        copy.path = self.path  # errors are about the file
        with translated(self.path):
            self._connection.backup(copy._connection)
        return copy

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        self._connection.close()
