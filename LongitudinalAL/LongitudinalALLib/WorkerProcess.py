"""The worker as a child process of Slicer: bytes in and out; what they mean is `Conversation`'s business."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import qt

from longitudinal_al.errors import NotReady
from longitudinal_al.frontend.conversation import Conversation
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.protocol import Event, EventKind, Verb
from LongitudinalALLib.Interpreter import Interpreter
from LongitudinalALLib.ProcessTree import Identity, endTree, processTree

STOP_SECONDS = 5.0
"""So long may the worker take to leave when it is asked to; then its process tree is ended."""
QUIT_SECONDS = 2.0
"""So long when Slicer itself is leaving."""
POLL_SECONDS = 0.01
"""Longest time that one `poll` takes for what has come: the window must not stand still."""
_CHUNK_BYTES = 1 << 13
_KEPT_LINES = 50
_NAP_MILLISECONDS = 20


class WorkerProcess:
    """Starts the worker of a project, asks it, and hands out what it says, as `WorkerClient` does.

    Everything happens on the main thread, in `poll`, which a timer calls a few times a second. No method
    waits for the worker but `close`. Whatever happens to Slicer, the worker does not outlive it: it is
    stopped before Slicer quits, and leaves by itself when its standard input ends.

    Contract: Qt `QProcess`; Slicer's PythonQt gives `bytes` by `readAllStandardOutput().data()`, and takes a
    `QByteArray` in `write`.

    Parameters
    ----------
    projectFolder : Path
        The project's folder.
    interpreter : Interpreter
        The Python that runs the worker.
    strategy : str, optional
        By which the worker ranks by itself.
    command : sequence of str, optional
        What to start instead.
    clock : callable
        See `Conversation`.
    """

    def __init__(
        self,
        projectFolder: Path,
        interpreter: Interpreter,
        *,
        strategy: str | None = None,
        command: Sequence[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.conversation = Conversation(clock)
        named = ["--strategy", strategy] if strategy else []
        own = [interpreter.path, "-m", "longitudinal_al", "worker", str(projectFolder), *named]
        self._command = [str(part) for part in command or own]
        self._interpreter = interpreter
        self._process: Any = None
        self._kept: list[Event] = []
        self._heard = b""
        self._lastLines: list[str] = []
        self._cut = b""
        self._tree: list[Identity] = []
        self._endAt: float | None = None
        self._again = False
        self._quit = self._onQuit

    @property
    def state(self) -> WorkerState:
        """Where the worker is in its life."""
        return self.conversation.state

    @property
    def doing(self) -> str:
        """What the worker is doing, as a sentence of its own."""
        return self.conversation.doing

    @property
    def processId(self) -> int | None:
        """The process that was started, `None` where there is none; the worker itself may be its child."""
        return int(self._process.processId()) or None if self._process is not None else None

    def start(self) -> None:
        """Start the worker; `ready` comes with `poll`, and so does a failure to start.

        Raises
        ------
        IllegalMove
            When it is running.
        """
        if self._process is not None and self.state is WorkerState.LEFT:
            self._kept += self._finish()
        self.conversation.starting()
        self._heard, self._cut, self._lastLines, self._tree = b"", b"", [], []
        self._endAt = None
        self._process = qt.QProcess()
        self._process.setProcessEnvironment(self._interpreter.environment())
        self._process.start(self._command[0], self._command[1:])
        qt.QCoreApplication.instance().aboutToQuit.connect(self._quit)

    def request(self, verb: Verb, **arguments: Any) -> str:
        """Send a request and return its id; `poll` hands out its answer.

        Raises
        ------
        NotReady
            When there is no worker.
        ProtocolError
            When an argument is wrong.
        """
        id_, line = self.conversation.request(verb, **arguments)
        self._send(line)
        if self.state is WorkerState.STOPPING:
            self._leaveWithin(STOP_SECONDS)
        return id_

    def poll(self) -> list[Event]:
        """Return what the worker has said since the last call, and notice when it hangs or has ended."""
        events, self._kept = self._kept, []
        if self._process is None:
            return events
        hasEnded = self._process.state() == qt.QProcess.NotRunning
        self._hear()
        events += self._understand()
        tick = self.conversation.tick()
        self._send(tick.send)
        events += tick.events
        if self.state is WorkerState.LEFT:
            self._leaveWithin(STOP_SECONDS)
        if self._endAt is not None and time.monotonic() >= self._endAt and not hasEnded:
            self._endTree()
        if hasEnded and not self._heard:
            events += self._finish()
            events += self._startAgain()
        return events

    def stop(self) -> None:
        """Ask the worker to leave; one that does not within 5 s is ended by `poll`."""
        self._again = False
        if self._process is None:
            return
        if not (self.state.is_over or self.state is WorkerState.STOPPING):
            self.request(Verb.SHUTDOWN)
        self._process.closeWriteChannel()
        self._leaveWithin(STOP_SECONDS)

    def kill(self) -> None:
        """End the worker's process tree at once; `poll` tells what was left unanswered."""
        if self._process is not None:
            self.conversation.stopping()
            self._leaveWithin(0)
            self._endTree()

    def restart(self) -> None:
        """End the worker, if there is one, and start it anew; `poll` does the second."""
        if self._process is None:
            self.start()
        else:
            self.kill()
            self._again = True

    def close(self, timeout: float = STOP_SECONDS) -> None:
        """Stop the worker and wait until it and its children are gone; ended after `timeout` seconds."""
        self.stop()
        self._leaveWithin(timeout)
        end = time.monotonic() + timeout + STOP_SECONDS
        while self._process is not None and time.monotonic() < end:
            self._process.waitForFinished(_NAP_MILLISECONDS)
            self._kept = self.poll()
        self._kept += self._finish()  # one that even the system cannot end now is not waited for

    # What is behind it

    def _send(self, line: bytes) -> None:
        if line and self._process is not None:
            self._process.write(qt.QByteArray(line))

    def _leaveWithin(self, seconds: float) -> None:
        """Have `poll` end the worker's process tree when it is still there after so long."""
        if self._process is None:
            return
        end = time.monotonic() + seconds
        self._endAt = end if self._endAt is None else min(self._endAt, end)

    def _hear(self) -> None:
        """Take all that has come from Qt's buffers."""
        self._heard += self._process.readAllStandardOutput().data()
        lines = (self._cut + self._process.readAllStandardError().data()).split(b"\n")
        self._cut = lines.pop()[-_CHUNK_BYTES:]
        self._lastLines += [line.decode("utf-8", "replace").rstrip() for line in lines[-_KEPT_LINES:]]
        del self._lastLines[:-_KEPT_LINES]

    def _understand(self) -> list[Event]:
        """Hand the bytes to the conversation, for a short time: a flood of events blocks nobody."""
        events: list[Event] = []
        end = time.perf_counter() + POLL_SECONDS
        while self._heard:
            chunk, self._heard = self._heard[:_CHUNK_BYTES], self._heard[_CHUNK_BYTES:]
            events += self.conversation.received(chunk)
            if time.perf_counter() >= end:
                break
        if any(event.kind is EventKind.READY for event in events):
            self._tree = processTree(self.processId or 0)
        return events

    def _endTree(self) -> None:
        endTree(self.processId or 0, self._tree)
        self._process.kill()

    def _startAgain(self) -> list[Event]:
        again, self._again = self._again, False
        try:
            if again:
                self.start()
        except NotReady as error:
            return [Event(EventKind.NOTE, None, {"message": str(error)})]
        return []

    def _finish(self) -> list[Event]:
        """Note the end of the process, and end what is left of its tree."""
        process, self._endAt = self._process, None
        if process is None:
            return []
        qt.QCoreApplication.instance().aboutToQuit.disconnect(self._quit)
        if process.state() != qt.QProcess.NotRunning or self._tree:
            endTree(self.processId or 0, self._tree)
        self._process = None
        last = [line for line in (*self._lastLines, self._cut.decode("utf-8", "replace").strip()) if line]
        events = self.conversation.closed(*_ending(process, last))
        process.deleteLater()
        return events

    def _onQuit(self) -> None:
        self.close(QUIT_SECONDS)


def _ending(process: Any, lastLines: list[str]) -> tuple[int | None, list[str]]:
    """Return a process's exit status, as Python counts (a signal is negative), and its last words."""
    if process.error() == qt.QProcess.FailedToStart:
        return None, [f"{process.program()}: {process.errorString()}"]
    if process.exitStatus() == qt.QProcess.CrashExit:
        return -int(process.exitCode()), lastLines
    return int(process.exitCode()), lastLines
