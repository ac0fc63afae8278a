"""Work shared by processes of this computer: one thread each gets more done than many threads in one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.synchronize import Event

import torch

from longitudinal_al.errors import NotReady
from longitudinal_al.network.device import pick_device

MOST = 61
"""Windows waits for no more at once."""


def sensible_count() -> int:
    """Return one a core where the processor computes, and one alone where there is a GPU."""
    return 1 if pick_device().type != "cpu" else min(os.cpu_count() or 1, MOST)


@contextmanager
def processes(count: int) -> Iterator[Executor | None]:
    """Give a place to work: so many processes, or None (this process) where one is enough.

    They are started afresh, not forked, as on Windows. When what uses them is interrupted or fails, or this
    process ends in whatever way, they end too, in the middle of their work.

    Raises
    ------
    NotReady
        When a process ended on the way, as one does that the system stops for want of memory.
    """
    if count <= 1:
        yield None
        return
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(min(count, MOST), context, _begin, (stop,)) as executor:
        try:
            yield executor
        except BrokenProcessPool as error:
            raise NotReady(
                "a process of the experiment was ended from outside, perhaps for want of memory: run the "
                "same command again, with fewer --processes; what was finished is kept"
            ) from error
        except BaseException:
            stop.set()
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _begin(stop: Event) -> None:
    """Prepare a new process; an interruption is the parent's to handle."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_in_time, args=(stop,), daemon=True).start()


def _leave_in_time(stop: Event) -> None:
    """End this process as soon as it is told to, or its parent is gone."""
    parent = multiprocessing.parent_process()
    while parent is not None and parent.is_alive() and not stop.wait(1.0):
        pass
    os._exit(1)
