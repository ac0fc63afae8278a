"""The worker as a child process of Slicer: Qt carries the bytes of the client that every front end shares."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import qt

from longitudinal_al.frontend.process_tree import Identity, end_descent, process_tree
from longitudinal_al.frontend.worker_client import WorkerClient
from LongitudinalALLib.Interpreter import Interpreter

QUIT_SECONDS = 2.0
"""So long may the worker take to leave when Slicer itself is leaving; then its process tree is ended."""
_CHUNK_BYTES = 1 << 13
_KEPT_LINES = 50
_NAP_MILLISECONDS = 20
_ENDING_SECONDS = 10.0


def workerOf(
    projectFolder: Path,
    interpreter: Interpreter,
    *,
    strategy: str | None = None,
    spacing: float | None = None,
    command: Sequence[str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> WorkerClient:
    """Return the client of a project's worker, not started yet, to be polled on the main thread.

    Whatever happens to Slicer, the worker does not outlive it: it is stopped before Slicer quits, and leaves
    by itself when its standard input ends.

    Parameters
    ----------
    projectFolder : Path
        The project's folder.
    interpreter : Interpreter
        The Python that runs the worker.
    spacing : float, optional
        In mm, between the slices of a pair that the worker asks for.
    strategy, command, clock
        See `WorkerClient`.
    """
    return WorkerClient(
        projectFolder,
        interpreter.path,
        strategy=strategy,
        spacing_mm=spacing,
        command=command,
        environment=interpreter.environmentMapping(),
        transport=QtTransport(),
        clock=clock,
    )


class QtTransport:
    """Qt's process on the main thread; see `longitudinal_al.frontend.transport.Transport`.

    PythonSlicer is only a launcher, so the worker is found as a descendant; looking for it and ending it
    happens on a thread, because the list of all processes is slow to get on some systems.

    Contract: Qt `QProcess`; Slicer's PythonQt gives `bytes` by `readAllStandardOutput().data()`, and takes a
    `QByteArray` in `write`.
    """

    def __init__(self) -> None:
        self._process: Any = None
        self._heard = bytearray()
        self._cut = b""
        self._lastLines: list[str] = []
        self._tree: list[Identity] = []
        self._beside: threading.Thread | None = None
        self._ending: threading.Thread | None = None
        self._quit = self._onQuit

    @property
    def process_id(self) -> int | None:
        """The process, `None` where there is none."""
        return int(self._process.processId()) or None if self._process is not None else None

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process; that it cannot be started is said later, by `finish`."""
        self._awaitBeside()
        self._heard.clear()
        self._cut, self._lastLines, self._tree = b"", [], []
        self._process = qt.QProcess()
        self._process.setProcessEnvironment(_qtEnvironment(environment))
        self._process.start(str(command[0]), [str(part) for part in command[1:]])
        qt.QCoreApplication.instance().aboutToQuit.connect(self._quit)

    def write(self, data: bytes) -> None:
        """Have bytes written; Qt keeps them until they are taken."""
        if data and self._isThere():
            self._process.write(qt.QByteArray(data))

    def close_input(self) -> None:
        """Have its standard input closed after all that was written."""
        if self._isThere():
            self._process.closeWriteChannel()

    def read(self) -> bytes:
        """Return some of what came from its standard output."""
        if self._process is not None:
            self._hear()
        chunk = bytes(self._heard[:_CHUNK_BYTES])
        del self._heard[:_CHUNK_BYTES]
        return chunk

    def remember_tree(self) -> None:
        """Take note of its children: the launcher may end before them."""

        def look() -> None:
            self._tree = process_tree(processId)

        processId = self.process_id or 0
        self._doBeside(look)

    def end_tree(self) -> None:
        """Have it and its children ended."""
        if self._ending is None or not self._ending.is_alive():
            processId = self.process_id or 0
            self._ending = self._doBeside(lambda: end_descent(processId, self._tree))

    def has_ended(self) -> bool:
        """Tell whether it is gone and all it said was read."""
        if self._process is None:
            return True
        if self._isThere():
            return False
        self._hear()
        return not self._heard

    def finish(self) -> tuple[int | None, list[str]]:
        """Have what is left of it ended; returns exit status and last lines."""
        process = self._process
        if process is None:
            return None, []
        qt.QCoreApplication.instance().aboutToQuit.disconnect(self._quit)
        self._hear()
        if self._isThere() or self._tree:
            self.end_tree()
            if self._isThere():
                process.kill()
        self._process = None
        last = [line for line in (*self._lastLines, self._cut.decode("utf-8", "replace").strip()) if line]
        process.deleteLater()
        return _ending(process, last)

    def nap(self) -> None:
        """Let Qt see to the process for some milliseconds."""
        if self._isThere():
            self._process.waitForFinished(_NAP_MILLISECONDS)
        self._awaitBeside()

    # What is behind it

    def _isThere(self) -> bool:
        return self._process is not None and self._process.state() != qt.QProcess.NotRunning

    def _hear(self) -> None:
        """Take all that has come from Qt's buffers."""
        self._heard += self._process.readAllStandardOutput().data()
        lines = (self._cut + self._process.readAllStandardError().data()).split(b"\n")
        self._cut = lines.pop()[-_CHUNK_BYTES:]
        self._lastLines += [line.decode("utf-8", "replace").rstrip() for line in lines[-_KEPT_LINES:]]
        del self._lastLines[:-_KEPT_LINES]

    def _doBeside(self, work: Callable[[], None]) -> threading.Thread:
        """Do something on a thread, after what was to be done there before."""
        before = self._beside

        def run() -> None:
            if before is not None:
                before.join()
            work()

        self._beside = threading.Thread(target=run, name="worker's process tree", daemon=True)
        self._beside.start()
        return self._beside

    def _awaitBeside(self) -> None:
        if self._beside is not None:
            self._beside.join(_ENDING_SECONDS)

    def _onQuit(self) -> None:
        """End it with Slicer: its input ends, and then it does."""
        if self._isThere():
            self._process.closeWriteChannel()
            self._process.waitForFinished(int(QUIT_SECONDS * 1000))
        self._awaitBeside()
        self.end_tree()
        self._awaitBeside()


def _qtEnvironment(environment: Mapping[str, str]) -> Any:
    """Return names and values as Qt's own type; contract: Qt `QProcessEnvironment.insert`."""
    made = qt.QProcessEnvironment()
    for name, value in environment.items():
        made.insert(name, value)
    return made


def _ending(process: Any, lastLines: list[str]) -> tuple[int | None, list[str]]:
    """Return a process's exit status, as Python counts (a signal is negative), and its last words."""
    if process.error() == qt.QProcess.FailedToStart:
        return None, [f"{process.program()}: {process.errorString()}"]
    if process.exitStatus() == qt.QProcess.CrashExit:
        return -int(process.exitCode()), lastLines
    return int(process.exitCode()), lastLines
