"""The worker as a child process of a front end: asked, heard, stopped; whatever carries the bytes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import longitudinal_al
from longitudinal_al.errors import NotReady
from longitudinal_al.frontend.conversation import Conversation
from longitudinal_al.frontend.transport import SubprocessTransport, Transport
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.protocol import Event, EventKind, Verb

STOP_SECONDS = 5.0
"""So long may the worker take to leave when it is asked to; then its process tree is ended."""
POLL_SECONDS = 0.01
"""Longest time that one `poll` takes for what has come: a window must not stand still."""


class WorkerClient:
    """Starts the worker of a project, asks it, and hands out what it says.

    Everything happens on the caller's thread, in `poll`, which a front end calls a few times a second (from a
    timer). No method waits for the worker but `wait` and `close`.

    Parameters
    ----------
    project_folder : Path
        The project's folder.
    python : str
        The interpreter that has torch.
    strategy : str, optional
        By which the worker ranks by itself.
    spacing_mm : float, optional
        Between the slices of a pair that it asks for.
    command : sequence of str, optional
        What to start instead of the worker.
    environment : mapping of str to str, optional
        Instead of this process's own.
    transport : Transport, optional
        Carries the bytes: `subprocess` by default; Slicer has one of Qt.
    clock : callable
        See `Conversation`.
    """

    def __init__(
        self,
        project_folder: Path,
        python: str = sys.executable,
        *,
        strategy: str | None = None,
        spacing_mm: float | None = None,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        transport: Transport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.conversation = Conversation(clock)
        self.transport: Transport = SubprocessTransport() if transport is None else transport
        named = {"--strategy": strategy, "--spacing-mm": spacing_mm}
        options = [str(part) for option in named.items() if option[1] is not None for part in option]
        own = [python, "-m", "longitudinal_al", "worker", str(project_folder), *options]
        self._command = list(command) if command else own
        self._environment = dict(environment) if environment is not None else _environment(python)
        self._is_there = False
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
        """The process that was started, `None` where there is none; the worker may be a child of it."""
        return self.transport.process_id if self._is_there else None

    @property
    def is_gone(self) -> bool:
        """Whether there is no process any more; one that has said `leaving` may still be there."""
        return not self._is_there

    def start(self) -> None:
        """Start the worker; `ready` comes with `poll`.

        Raises
        ------
        IllegalMove
            When it is running.
        NotReady
            When it cannot be started; a transport may also find that out later, and then `poll` tells it.
        """
        if self._is_there and self.state is WorkerState.LEFT:
            self._kept += self._finish()
        self.conversation.starting()
        self._end_at = None
        try:
            self.transport.start(self._command, self._environment)
        except OSError as error:
            message = (
                f"the worker cannot be started ({self._command[0]}: {error.strerror}): check the installation"
            )
            self.conversation.closed(None, [message])
            raise NotReady(message) from error
        self._is_there = True

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
        self.transport.write(line)
        if self.state is WorkerState.STOPPING:
            self._leave_within(STOP_SECONDS)
        return id_

    def poll(self) -> list[Event]:
        """Return what the worker has said since the last call, and notice when it hangs or has ended."""
        events, self._kept = self._kept, []
        if not self._is_there:
            return events
        events += self._listen()
        tick = self.conversation.tick()
        self.transport.write(tick.send)
        events += tick.events
        if self.state is WorkerState.LEFT:
            self._leave_within(STOP_SECONDS)
        if self.transport.has_ended():
            events += self._finish()
            events += self._start_again()
        elif self._end_at is not None and time.monotonic() >= self._end_at:
            self.transport.end_tree()
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
                self.transport.nap()
        finally:
            self._kept = others + self._kept
        raise TimeoutError(f"the worker has not answered request {id} within {timeout:g} s")

    def stop(self) -> None:
        """Ask the worker to leave; one that does not within 5 s is ended by `poll`."""
        self._again = False
        if not self._is_there:
            return
        if not (self.state.is_over or self.state is WorkerState.STOPPING):
            self.request(Verb.SHUTDOWN)
        self.transport.close_input()
        self._leave_within(STOP_SECONDS)

    def kill(self) -> None:
        """End the worker's process tree at once; `poll` tells what was left unanswered."""
        if self._is_there:
            self.conversation.stopping()
            self._leave_within(0)
            self.transport.end_tree()

    def restart(self) -> None:
        """End the worker, if there is one, and start it anew; `poll` does the second."""
        if self._is_there:
            self.kill()
            self._again = True
        else:
            self.start()

    def close(self, timeout: float = STOP_SECONDS) -> None:
        """Stop the worker and wait until it and its children are gone; ended after `timeout` seconds."""
        self.stop()
        self._leave_within(timeout)
        end = time.monotonic() + timeout + STOP_SECONDS
        while self._is_there and time.monotonic() < end:
            self.transport.nap()
            self._kept = self.poll()
        self._kept += self._finish()  # one that even the system cannot end now is not waited for

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What is behind it

    def _leave_within(self, seconds: float) -> None:
        """Have `poll` end the worker's process tree when it is still there after so long."""
        if self._is_there:
            end = time.monotonic() + seconds
            self._end_at = end if self._end_at is None else min(self._end_at, end)

    def _listen(self) -> list[Event]:
        """Take what has come, for a short time only, so that a flood of events blocks nobody."""
        events: list[Event] = []
        end = time.perf_counter() + POLL_SECONDS
        while chunk := self.transport.read():
            events += self.conversation.received(chunk)
            if time.perf_counter() >= end:
                break
        if any(event.kind is EventKind.READY for event in events):
            self.transport.remember_tree()
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
        if not self._is_there:
            return []
        self._is_there, self._end_at = False, None
        return self.conversation.closed(*self.transport.finish())


def _environment(python: str) -> dict[str, str]:
    """Return this process's environment, in which the same interpreter finds this very package."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    if python == sys.executable:
        own = str(Path(longitudinal_al.__file__).resolve().parents[1])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [own, os.environ.get("PYTHONPATH", "")]))
    return environment
