"""What a session and the worker tell each other: that someone is labelling, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from longitudinal_al.errors import NotReady
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.protocol import Event, Verb

HINT_SECONDS = 20.0
"""How often the worker hears that someone is labelling, besides at every label."""
_HEARING = frozenset({WorkerState.STARTING, WorkerState.READY, WorkerState.BUSY})


class Worker(Protocol):
    """What a session needs of a worker's client, whatever carries its bytes."""

    @property
    def state(self) -> WorkerState:
        """Where the worker is in its life."""

    def request(self, verb: Verb, **arguments: Any) -> str:
        """Send a request and return its id."""

    def poll(self) -> list[Event]:
        """Return what the worker has said since the last call."""


class LabellingHints:
    """Tells the worker that someone is labelling, so that it steps aside and looks at the labels.

    Parameters
    ----------
    client : Worker or None
        The worker's client; `None` where there is none: then nobody is told.
    clock : callable
        Seconds that only ever grow.
    """

    def __init__(self, client: Worker | None, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._due = clock()
        self._asked: set[str] = set()

    def hear(self) -> list[Event]:
        """Return what the worker has said since the last call, its answers to the hints left out."""
        events = self._client.poll() if self._client else []
        own = {event.id for event in events if event.kind.is_terminal and event.id in self._asked}
        self._asked -= {id_ for id_ in own if id_}
        return [event for event in events if event.id is None or event.id not in own]

    def tell(self) -> None:
        """Tell it now."""
        self._due = self._clock() + HINT_SECONDS
        if self._client is not None and self._client.state in _HEARING:
            with suppress(NotReady):
                self._asked.add(self._client.request(Verb.STATUS, labelling=True))

    def remind(self) -> None:
        """Tell it if that was long ago; cheap enough for every event of the mouse."""
        if self._clock() >= self._due:
            self.tell()
