"""Work shared by processes of this computer: one thread each gets more done than many threads in one."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

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

    They are started afresh, not forked, as on Windows.

    Raises
    ------
    NotReady
        When a process ended on the way, as one does that the system stops for want of memory.
    """
    if count <= 1:
        yield None
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(count, MOST), context, _one_thread) as executor:
        try:
            yield executor
        except BrokenProcessPool as error:
            raise NotReady(
                "a process of the experiment was ended from outside, perhaps for want of memory: run the "
                "same command again, with fewer --processes; what was finished is kept"
            ) from error


def _one_thread() -> None:
    torch.set_num_threads(1)
