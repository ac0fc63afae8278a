"""The life of the worker as a front end sees it, and what is said when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from longitudinal_al.errors import LongitudinalALError


class WorkerState(str, Enum):
    """Where the worker is in its life."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    HUNG = "hung"
    STOPPING = "stopping"
    CRASHED = "crashed"
    LEFT = "left"

    @property
    def is_over(self) -> bool:
        """Whether there is no worker: it can be started."""
        return self in _OVER


_OVER = frozenset({WorkerState.STOPPED, WorkerState.CRASHED, WorkerState.LEFT})
_ENDS = frozenset({WorkerState.STOPPING, WorkerState.CRASHED, WorkerState.LEFT})
MOVES: dict[WorkerState, frozenset[WorkerState]] = {
    WorkerState.STOPPED: frozenset({WorkerState.STARTING}),
    WorkerState.STARTING: _ENDS | {WorkerState.READY, WorkerState.BUSY, WorkerState.HUNG},
    WorkerState.READY: _ENDS | {WorkerState.BUSY, WorkerState.HUNG},
    WorkerState.BUSY: _ENDS | {WorkerState.READY, WorkerState.HUNG},
    WorkerState.HUNG: _ENDS | {WorkerState.READY, WorkerState.BUSY},
    WorkerState.STOPPING: frozenset({WorkerState.STOPPED}),
    WorkerState.CRASHED: frozenset({WorkerState.STARTING}),
    WorkerState.LEFT: frozenset({WorkerState.STARTING}),
}


class IllegalMove(LongitudinalALError):
    """The front end did something that the worker's state does not allow; a fault of the program."""


def move(state: WorkerState, to: WorkerState) -> WorkerState:
    """Return the new state.

    Raises
    ------
    IllegalMove
        When there is no such move.
    """
    if to not in MOVES[state]:
        raise IllegalMove(f"the worker is {state.value} and cannot become {to.value}")
    return to


def crash_message(exit_status: int | None, last_lines: Sequence[str]) -> str:
    """Say how the worker ended, from its exit status and the last lines of its standard error."""
    how = {None: "without an exit status", -9: "killed by the system, which does so when memory runs out"}
    said = how.get(exit_status, f"with exit status {exit_status}")
    words = next((line.strip() for line in reversed(last_lines) if line.strip()), "")
    last = f"; its last words: {words}" if words else ""
    return f"the worker ended unexpectedly, {said}{last}. All labels are saved; restart the worker to go on."
