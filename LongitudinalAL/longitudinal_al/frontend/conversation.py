"""The front end's side of the conversation with the worker, whatever carries the bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from longitudinal_al.errors import NotReady, ProtocolError
from longitudinal_al.frontend.worker_state import WorkerState, crash_message, move
from longitudinal_al.protocol import (
    Event,
    EventKind,
    Lines,
    Request,
    TooLong,
    Verb,
    checked_arguments,
    decode_event,
    encode,
)

PING_SECONDS = 3.0
"""After so long a silence the worker is asked for its status."""
HUNG_SECONDS = 8.0
"""After so long a silence it is said to hang."""
START_SECONDS = 180.0
"""So long may it take to start: libraries are read from disk, sometimes over a network."""
_LONGEST_STEP = 2.0
_UNREADABLE_TOLD = 20
_AT_ONCE = frozenset({Verb.STATUS, Verb.CANCEL, Verb.SHUTDOWN})
"""Answered beside the work: waiting for them does not make the worker busy."""


@dataclass(frozen=True)
class Tick:
    """What came of looking at the clock: bytes to send, and events for the user."""

    send: bytes = b""
    events: list[Event] = field(default_factory=list)


class Conversation:
    """Who asked what, what is still unanswered, and whether the worker is alive.

    Knows no pipes: the caller sends the bytes that it gets from here, and hands over those that come.

    Parameters
    ----------
    clock : callable
        Seconds that only ever grow; what the wall clock does is of no importance.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.state = WorkerState.STOPPED
        self.doing = ""
        """What the worker is doing, as a sentence of its own."""
        self._clock = clock
        self._count = 0
        self._pending: dict[str, Verb] = {}
        self._begin_again()

    def _begin_again(self) -> None:
        self._lines = Lines()
        self._pings: set[str] = set()
        self._silence = 0.0
        self._looked = self._clock()
        self._unreadable = 0
        self._reason = ""
        self.doing = ""

    @property
    def pending(self) -> dict[str, Verb]:
        """The requests that have no answer yet: id and verb."""
        return dict(self._pending)

    def starting(self) -> None:
        """Note that the worker is being started.

        Raises
        ------
        IllegalMove
            When there is one already.
        """
        self.state = move(self.state, WorkerState.STARTING)
        self._begin_again()

    def request(self, verb: Verb, **arguments: Any) -> tuple[str, bytes]:
        """Make a request; returns its id and the bytes to send.

        Raises
        ------
        NotReady
            When there is no worker.
        ProtocolError
            When an argument is wrong.
        """
        if self.state.is_over or self.state is WorkerState.STOPPING:
            raise NotReady(f"the worker is {self.state.value}: start it first")
        checked_arguments(verb, arguments)
        id_, line = self._written(verb, arguments)
        self._pending[id_] = verb
        if verb is Verb.SHUTDOWN:
            self.stopping()
        self._settle()
        return id_, line

    def stopping(self) -> None:
        """Note that the worker is asked, or made, to end: when it does, that is no crash."""
        if not (self.state.is_over or self.state is WorkerState.STOPPING):
            self.state = move(self.state, WorkerState.STOPPING)

    def received(self, data: bytes) -> list[Event]:
        """Take bytes from the worker, cut anywhere; returns the events for the user."""
        events = []
        for line in self._lines.feed(data):
            event = self._read(line)
            if event is not None and self._note(event):
                events.append(event)
        return events

    def closed(self, exit_status: int | None, last_lines: Sequence[str] = ()) -> list[Event]:
        """Note that the worker has ended; every unanswered request is answered with `crashed`."""
        if self.state.is_over and self.state is not WorkerState.LEFT:
            return []
        message = self._reason or crash_message(exit_status, last_lines)
        if self.state is WorkerState.STOPPING:
            message = "the worker was stopped before this was done"
        data = {"exit_status": exit_status, "last_lines": list(last_lines), "message": message}
        unanswered, self._pending = list(self._pending), {}
        events = [Event(EventKind.CRASHED, id_, data) for id_ in unanswered]
        if self.state is WorkerState.STOPPING:
            self.state = move(self.state, WorkerState.STOPPED)
        elif self.state is not WorkerState.LEFT:
            self.state = move(self.state, WorkerState.CRASHED)
            events.append(Event(EventKind.CRASHED, None, data))
        self.doing = ""
        return events

    def tick(self) -> Tick:
        """Look at the clock; to be called about once a second, or more often.

        Silence is counted in steps of 2 s at most: when the front end itself stood still, or the computer
        slept, the worker is not blamed for it.
        """
        now = self._clock()
        step, self._looked = min(max(now - self._looked, 0.0), _LONGEST_STEP), now
        if self.state not in (WorkerState.STARTING, WorkerState.READY, WorkerState.BUSY):
            return Tick()
        self._silence += step
        is_starting = self.state is WorkerState.STARTING
        limit = START_SECONDS if is_starting else HUNG_SECONDS
        if self._silence >= limit:
            return self._hangs(limit)
        if self._silence >= PING_SECONDS and not self._pings and not is_starting:
            id_, line = self._written(Verb.STATUS, {})
            self._pings.add(id_)
            return Tick(line)
        return Tick()

    # What is behind it

    def _written(self, verb: Verb, arguments: dict[str, Any]) -> tuple[str, bytes]:
        self._count += 1
        id_ = str(self._count)
        return id_, encode(Request(id_, verb, arguments))

    def _hangs(self, limit: float) -> Tick:
        self.state = move(self.state, WorkerState.HUNG)
        message = (
            f"The worker has not answered for {limit:.0f} s. Labelling goes on without it; "
            "wait for it, or restart it."
        )
        return Tick(events=[Event(EventKind.NOTE, None, {"message": message, "hung": True})])

    def _read(self, line: bytes | TooLong) -> Event | None:
        """Decode a line; of what cannot be read the user hears a few times, and no more."""
        try:
            if isinstance(line, TooLong):
                raise ProtocolError(f"a message is longer than {line.limit} bytes")
            return decode_event(line)
        except ProtocolError as error:
            self._unreadable += 1
            if self._unreadable > _UNREADABLE_TOLD:
                return None
            return Event(EventKind.NOTE, None, {"message": f"from the worker: {error}"})

    def _note(self, event: Event) -> bool:
        """Keep book of an event, and tell whether it is for the user."""
        self._silence = 0.0
        wanted = self._answers(event) if event.kind.is_terminal else True
        if event.kind is EventKind.STATE:
            self.doing = str(event.data.get("sentence", ""))
        if event.kind is EventKind.LEAVING:
            self._leaves(str(event.data.get("reason", "")))
        if event.kind is EventKind.READY and self.state is WorkerState.STARTING:
            self.state = move(self.state, WorkerState.READY)
        self._settle()
        return wanted

    def _answers(self, event: Event) -> bool:
        """Strike a request off, and tell whether the user asked it; nothing is answered twice."""
        if event.id is None:  # a line that the worker could not read
            return True
        if event.id in self._pings:
            self._pings.remove(event.id)
            return False
        return self._pending.pop(event.id, None) is not None

    def _leaves(self, reason: str) -> None:
        if self.state is not WorkerState.STOPPING and not self.state.is_over:
            self._reason = f"the worker left: {reason}"
            self.state = move(self.state, WorkerState.LEFT)

    def _settle(self) -> None:
        """Tell busy from ready; a worker that speaks does not hang any more."""
        if self.state in (WorkerState.READY, WorkerState.BUSY) or (
            self.state is WorkerState.HUNG and self._silence == 0
        ):
            is_busy = any(verb not in _AT_ONCE for verb in self._pending.values())
            now = WorkerState.BUSY if is_busy else WorkerState.READY
            if now is not self.state:
                self.state = move(self.state, now)
