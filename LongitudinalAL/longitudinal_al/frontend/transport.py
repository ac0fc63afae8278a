"""What carries the bytes between a front end and the worker: the interface, and the one for plain Python."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from longitudinal_al.frontend.pipes import Incoming, LastLines, Outgoing
from longitudinal_al.frontend.process_tree import end_tree, start_tree

_REAP_SECONDS = 1.0
_NAP_SECONDS = 0.005


class Transport(Protocol):
    """A process with pipes. One object serves for one process after the other.

    No method waits, but `nap` and `start` (for what is left of the process before).
    """

    @property
    def process_id(self) -> int | None:
        """The process, `None` where there is none."""

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a process; raises `OSError`, or tells by `finish` that it cannot be started."""

    def write(self, data: bytes) -> None:
        """Have bytes written to its standard input, in the order of the calls."""

    def close_input(self) -> None:
        """Have its standard input closed after all that was written."""

    def read(self) -> bytes:
        """Return what came from its standard output, a few kilobytes at most, or nothing."""

    def remember_tree(self) -> None:
        """Take note of its children, as far as they could not be found any more when it has ended."""

    def end_tree(self) -> None:
        """Have it and its children ended; it is gone soon."""

    def has_ended(self) -> bool:
        """Tell whether it is gone and all it said was read."""

    def finish(self) -> tuple[int | None, list[str]]:
        """Have what is left of it ended; returns exit status and the last lines of its standard error."""

    def nap(self) -> None:
        """Wait some milliseconds for something to happen."""


class SubprocessTransport:
    """Python's own `subprocess`, with a thread at each pipe."""

    def __init__(self) -> None:
        self._process: _Process | None = None

    @property
    def process_id(self) -> int | None:
        """See `Transport`."""
        return None if self._process is None else self._process.popen.pid

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """See `Transport`."""
        self._process = _Process(start_tree(command, environment))

    def write(self, data: bytes) -> None:
        """See `Transport`."""
        if self._process is not None:
            self._process.input.send(data)

    def close_input(self) -> None:
        """See `Transport`."""
        if self._process is not None:
            self._process.input.close()

    def read(self) -> bytes:
        """See `Transport`."""
        return b"" if self._process is None else self._process.output.take()

    def remember_tree(self) -> None:
        """Nothing to do: its children are in its group."""

    def end_tree(self) -> None:
        """See `Transport`."""
        if self._process is not None:
            end_tree(self._process.popen)

    def has_ended(self) -> bool:
        """See `Transport`."""
        return self._process is None or self._process.has_ended()

    def finish(self) -> tuple[int | None, list[str]]:
        """See `Transport`."""
        process, self._process = self._process, None
        if process is None:
            return None, []
        end_tree(process.popen)  # its children, if there are any
        process.input.close()
        return process.popen.poll(), process.errors.read()

    def nap(self) -> None:
        """See `Transport`."""
        time.sleep(_NAP_SECONDS)


class _Process:
    """A running process with its pipes."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        if popen.stdin is None or popen.stdout is None or popen.stderr is None:
            raise OSError("a process was started without pipes")
        self.popen = popen
        self.input = Outgoing(popen.stdin)
        self.output = Incoming(popen.stdout)
        self.errors = LastLines(popen.stderr)
        self._gone_since: float | None = None

    def has_ended(self) -> bool:
        """Tell whether it is gone and all it said was taken; its children's hold on a pipe is ignored."""
        if self.popen.poll() is None:
            return False
        if self._gone_since is None:
            self._gone_since = time.monotonic()
        if time.monotonic() - self._gone_since > _REAP_SECONDS:
            return True
        return self.output.is_over and self.errors.is_over
