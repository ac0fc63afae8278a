"""Long work that stands still whenever something more urgent comes, and goes on from there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import torch

from longitudinal_al.errors import Cancelled

Result = TypeVar("Result")
Tick = Callable[[], None]
LOOK_SECONDS = 0.02


class Pausable(Generic[Result]):
    """Runs a function on a thread of its own, but only while `run` gives it time: never beside its caller.

    So a training of a minute can make room for a request within one training step, and lose nothing. Chance
    is not disturbed by what is done meanwhile: PyTorch's global generator is put back before it goes on.

    Parameters
    ----------
    work : callable
        Gets a function `tick` that it has to call often; there it stands still, and there it ends when it is
        dropped.
    """

    def __init__(self, work: Callable[[Tick], Result]) -> None:
        self._work = work
        self._may_run = threading.Event()
        self._stands = threading.Event()
        self._dropped = False
        self._threads = torch.get_num_threads()
        self._result: list[Result] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._go, name="thought", daemon=True)

    def run(self, interrupt: Callable[[], None], seconds: float) -> bool:
        """Let the work go on for some seconds, and tell whether it is finished.

        When `interrupt` raises, the work stands still and the error goes on to the caller, as does an error
        of the work itself. Work that is finished stays finished.
        """
        if self._result:
            return True
        self._threads = torch.get_num_threads()
        self._stands.clear()
        self._may_run.set()
        if self._thread.ident is None:
            self._thread.start()
        try:
            waited = 0.0
            while not self._stands.wait(LOOK_SECONDS) and waited < seconds:
                waited += LOOK_SECONDS
                interrupt()
        finally:
            self._may_run.clear()
            self._stands.wait()
        if self._error is not None:
            raise self._error
        return bool(self._result)

    @property
    def result(self) -> Result:
        """What the work returned, once it is finished."""
        return self._result[0]

    def drop(self) -> None:
        """End the work at its next tick; dropping finished work is harmless."""
        self._dropped = True
        if self._thread.ident is not None:
            self._may_run.set()
            self._thread.join()
        self._error = None  # its traceback holds what the work read, files among it

    def _go(self) -> None:
        try:
            self._tick()
            self._result.append(self._work(self._tick))
        except BaseException as error:  # whatever it was, the caller's thread has to hear of it
            self._error = error
        finally:
            self._stands.set()

    def _tick(self) -> None:
        if not self._may_run.is_set():
            chance = _chance()
            self._stands.set()
            self._may_run.wait()
            _put_back(chance)
        if self._dropped:
            raise Cancelled("the work was dropped")
        if self._threads != torch.get_num_threads():
            torch.set_num_threads(self._threads)  # counts for the calling thread alone


def _chance() -> list[torch.Tensor]:
    """Return the states of the global generators."""
    cuda = [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []
    return [torch.get_rng_state(), *cuda]


def _put_back(states: list[torch.Tensor]) -> None:
    torch.set_rng_state(states[0])
    if len(states) > 1:
        torch.cuda.set_rng_state(states[1])
