"""Start a process so that it can be ended with all of its children, and end them, on every system."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_SECONDS = 5.0
Identity = tuple[int, str]
"""A process: its id, and when it began, because ids are used again."""


def start_tree(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process with pipes, at the head of a group of its own: Ctrl-C in a terminal stays here."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        creationflags=flags,
        start_new_session=sys.platform != "win32",
    )


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process of `start_tree` and its children at once; harmless when they are gone."""
    if sys.platform == "win32":
        if process.poll() is None:
            _taskkill(process.pid)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()


def process_tree(process_id: int) -> list[Identity]:
    """Return a process and all of its descendants, the eldest first; on Windows none, see `end_descent`."""
    return [] if sys.platform == "win32" or process_id <= 0 else _descent(process_id, _processes())


def end_descent(process_id: int, known: Sequence[Identity] = ()) -> None:
    """End a process that somebody else started (Qt, say) and its descendants; harmless when they are gone.

    Takes some hundredths of a second, on Windows tenths: not for a window's own thread.

    Parameters
    ----------
    process_id : int
        The eldest; 0 when it has ended.
    known : sequence of Identity, optional
        Descendants seen before, which may have lost their parent meanwhile.
    """
    if sys.platform == "win32":
        if process_id > 0:
            _taskkill(process_id)
        return
    now = _processes()
    eldest = {process_id} if process_id > 0 else set()
    eldest |= {each for each, began in known if each in now and now[each][1] == began}
    for each in {below for old in eldest for below, _began in _descent(old, now)}:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(each, signal.SIGKILL)


def _descent(process_id: int, processes: Mapping[int, tuple[int, str]]) -> list[Identity]:
    found = [process_id]
    for parent in found:
        found += [child for child, (its_parent, _began) in processes.items() if its_parent == parent]
    return [(each, processes[each][1]) for each in found if each in processes]


def _taskkill(process_id: int) -> None:
    taskkill = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "taskkill.exe"
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            [str(taskkill), "/PID", str(process_id), "/T", "/F"],
            capture_output=True,
            timeout=_SECONDS,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )


def _processes() -> dict[int, tuple[int, str]]:
    """Return all processes: id -> (id of the parent, when it began)."""
    if Path("/proc/self/stat").is_file():
        return _from_proc()
    with suppress(OSError, subprocess.SubprocessError):
        listed = subprocess.run(
            ["/bin/ps", "-A", "-o", "pid=,ppid=,lstart="], capture_output=True, text=True, timeout=_SECONDS
        )
        rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
        return {int(row[0]): (int(row[1]), row[2]) for row in rows if len(row) == 3}
    return {}


def _from_proc() -> dict[int, tuple[int, str]]:
    """Read Linux's own list; see proc(5): the name in brackets may hold blanks and brackets."""
    processes = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] != "Z":
                processes[int(folder.name)] = (int(fields[1]), fields[19])
    return processes
