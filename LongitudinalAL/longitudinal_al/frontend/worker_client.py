"""The worker as a child process of a plain Python program: the command line, the browser page, the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import longitudinal_al
from longitudinal_al.errors import NotReady
from longitudinal_al.frontend.conversation import Conversation
from longitudinal_al.frontend.pipes import Incoming, LastLines, Outgoing
from longitudinal_al.frontend.process_tree import end_tree, start_tree
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.protocol import Event, EventKind, Verb

STOP_SECONDS = 5.0
"""So long may the worker take to leave when it is asked to; then its process tree is ended."""
_POLL_SECONDS = 0.01
_REAP_SECONDS = 1.0
_NAP_SECONDS = 0.005


class WorkerClient:
    """Starts the worker of a project, asks it, and hands out what it says.

    Everything happens on the caller's thread, in `poll`, which a front end calls a few times a second (from a
    timer); threads only stand at the pipes. No method waits for the worker but `wait` and `close`.

    Parameters
    ----------
    project_folder : Path
        The project's folder.
    python : str
        The interpreter that has torch.
    strategy : str, optional
        By which the worker ranks by itself.
    command : sequence of str, optional
        What to start instead of the worker.
    environment : mapping of str to str, optional
        Instead of this process's own.
    clock : callable
        See `Conversation`.
    """

    def __init__(
        self,
        project_folder: Path,
        python: str = sys.executable,
        *,
        strategy: str | None = None,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.conversation = Conversation(clock)
        named = ["--strategy", strategy] if strategy else []
        own = [python, "-m", "longitudinal_al", "worker", str(project_folder), *named]
        self._command = list(command) if command else own
        self._environment = dict(environment) if environment is not None else _environment(python)
        self._process: _Process | None = None
        self._kept: list[Event] = []
        self._end_at: float | None = None
        self._again = False

    @property
    def state(self) -> WorkerState:
        """Where the worker is in its life."""
        return self.conversation.state

    @property
    def doing(self) -> str:
        """What the worker is doing, as a sentence of its own."""
        return self.conversation.doing

    @property
    def process_id(self) -> int | None:
        """The worker's process, `None` where there is none."""
        return None if self._process is None else self._process.popen.pid

    def start(self) -> None:
        """Start the worker; `ready` comes with `poll`.

        Raises
        ------
        IllegalMove
            When it is running.
        NotReady
            When it cannot be started.
        """
        if self._process is not None and self.state is WorkerState.LEFT:
            self._kept += self._finish()
        self.conversation.starting()
        try:
            self._process = _Process(start_tree(self._command, self._environment))
        except OSError as error:
            message = (
                f"the worker cannot be started ({self._command[0]}: {error.strerror}): check the installation"
            )
            self.conversation.closed(None, [message])
            raise NotReady(message) from error
        self._end_at = None

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
            self._leave_within(STOP_SECONDS)
        return id_

    def poll(self) -> list[Event]:
        """Return what the worker has said since the last call, and notice when it hangs or has ended."""
        events, self._kept = self._kept, []
        if self._process is None:
            return events
        events += self._listen(self._process)
        tick = self.conversation.tick()
        self._send(tick.send)
        events += tick.events
        if self.state is WorkerState.LEFT:
            self._leave_within(STOP_SECONDS)
        if self._end_at is not None and time.monotonic() >= self._end_at:
            end_tree(self._process.popen)
        if self._process.has_ended():
            events += self._finish()
            events += self._start_again()
        return events

    def wait(self, id: str, timeout: float) -> Event:
        """Wait for the answer to a request; other events are kept for `poll`.

        Raises
        ------
        TimeoutError
            When none came in time (in seconds).
        """
        end = time.monotonic() + timeout
        others: list[Event] = []
        try:
            while time.monotonic() < end:
                answer = None
                for event in self.poll():
                    if event.id == id and event.kind.is_terminal:
                        answer = event
                    else:
                        others.append(event)
                if answer is not None:
                    return answer
                time.sleep(_NAP_SECONDS)
        finally:
            self._kept = others + self._kept
        raise TimeoutError(f"the worker has not answered request {id} within {timeout:g} s")

    def stop(self) -> None:
        """Ask the worker to leave; one that does not within 5 s is ended by `poll`."""
        self._again = False
        if self._process is None:
            return
        if not (self.state.is_over or self.state is WorkerState.STOPPING):
            self.request(Verb.SHUTDOWN)
        self._process.input.close()
        self._leave_within(STOP_SECONDS)

    def kill(self) -> None:
        """End the worker's process tree at once; `poll` tells what was left unanswered."""
        if self._process is not None:
            self.conversation.stopping()
            self._leave_within(0)
            end_tree(self._process.popen)

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
        self._leave_within(timeout)
        end = time.monotonic() + timeout + STOP_SECONDS
        while self._process is not None and time.monotonic() < end:
            self._kept = self.poll()
            time.sleep(_NAP_SECONDS)
        self._kept += self._finish()  # one that even the system cannot end now is not waited for

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What is behind it

    def _send(self, line: bytes) -> None:
        if self._process is not None:
            self._process.input.send(line)

    def _leave_within(self, seconds: float) -> None:
        """Have `poll` end the worker's process tree when it is still there after so long."""
        end = time.monotonic() + seconds
        self._end_at = end if self._end_at is None else min(self._end_at, end)

    def _listen(self, process: _Process) -> list[Event]:
        """Take what has come, for a short time only, so that a flood of events blocks nobody."""
        events: list[Event] = []
        end = time.perf_counter() + _POLL_SECONDS
        while chunk := process.output.take():
            events += self.conversation.received(chunk)
            if time.perf_counter() >= end:
                break
        return events

    def _start_again(self) -> list[Event]:
        again, self._again = self._again, False
        try:
            if again:
                self.start()
        except NotReady as error:
            return [Event(EventKind.NOTE, None, {"message": str(error)})]
        return []

    def _finish(self) -> list[Event]:
        process, self._process, self._end_at = self._process, None, None
        if process is None:
            return []
        end_tree(process.popen)  # its children, if there are any
        process.input.close()
        return self.conversation.closed(process.popen.poll(), process.errors.read())


class _Process:
    """A running worker with its pipes."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        if popen.stdin is None or popen.stdout is None or popen.stderr is None:
            raise NotReady("the worker was started without pipes")
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


def _environment(python: str) -> dict[str, str]:
    """Return this process's environment, in which the same interpreter finds this very package."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    if python == sys.executable:
        own = str(Path(longitudinal_al.__file__).resolve().parents[1])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [own, os.environ.get("PYTHONPATH", "")]))
    return environment
