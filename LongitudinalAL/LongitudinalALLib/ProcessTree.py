"""End a process with all of its children, from its id alone: PythonSlicer is only a launcher."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_SECONDS = 5.0
Identity = tuple[int, str]
"""A process: its id, and when it began, because ids are used again."""


def processTree(processId: int) -> list[Identity]:
    """Return a process and all of its descendants, the eldest first; on Windows none, see `endTree`."""
    if sys.platform == "win32" or processId <= 0:
        return []
    processes = _processes()
    found = [processId]
    for parent in found:
        found += [child for child, (itsParent, _began) in processes.items() if itsParent == parent]
    return [(each, processes[each][1]) for each in found if each in processes]


def endTree(processId: int, known: list[Identity] | None = None) -> None:
    """End a process and its descendants at once; harmless when they are gone.

    Parameters
    ----------
    processId : int
        The eldest.
    known : list of Identity, optional
        Descendants seen before, which may have lost their parent meanwhile.
    """
    if sys.platform == "win32":
        _taskkill(processId)
        return
    now = _processes()
    still = [(each, began) for each, began in known or [] if each in now and now[each][1] == began]
    for each, _began in {*processTree(processId), *still}:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(each, signal.SIGKILL)


def _taskkill(processId: int) -> None:
    taskkill = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "taskkill.exe"
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            [str(taskkill), "/PID", str(processId), "/T", "/F"],
            capture_output=True,
            timeout=_SECONDS,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )


def _processes() -> dict[int, tuple[int, str]]:
    """Return all processes: id -> (id of the parent, when it began)."""
    if Path("/proc/self/stat").is_file():
        return _fromProc()
    with suppress(OSError, subprocess.SubprocessError):
        listed = subprocess.run(
            ["/bin/ps", "-A", "-o", "pid=,ppid=,lstart="], capture_output=True, text=True, timeout=_SECONDS
        )
        rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
        return {int(row[0]): (int(row[1]), row[2]) for row in rows if len(row) == 3}
    return {}


def _fromProc() -> dict[int, tuple[int, str]]:
    """Read Linux's own list; see proc(5): the name in brackets may hold blanks and brackets."""
    processes = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] != "Z":
                processes[int(folder.name)] = (int(fields[1]), fields[19])
    return processes
