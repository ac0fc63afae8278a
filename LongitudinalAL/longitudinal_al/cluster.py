"""Where work is done that other computers can share: here, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from longitudinal_al.errors import NotReady

RETRIES = 3
"""A piece of work is begun again so many times when the computer that did it is lost."""
PATIENCE = 30.0
"""Seconds within which a scheduler has to answer."""


@contextmanager
def executor_of(scheduler: str | None) -> Iterator[Executor | None]:
    """Give a place to work: None (this computer), or the cluster of a Dask scheduler.

    Pieces of work name files by their paths, so all computers of the cluster have to see the project's folder
    under the same path, and need the same version of this package. Dask sends work between its computers as
    pickles: give only the address of a scheduler of your own.

    Parameters
    ----------
    scheduler
        Its address, such as "tcp://10.0.0.5:8786"; None stays here.

    Raises
    ------
    NotReady
        Dask is not installed, or no scheduler answers; the message says what to do.
    """
    if scheduler is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise NotReady(
            "--scheduler needs Dask, which is not installed: pip install longitudinal-al[cluster]"
        ) from error
    try:
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NotReady(
            f"no Dask scheduler answers at {scheduler}: start one with `dask scheduler`, and give the "
            "address that it prints"
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise NotReady(
                f"the Dask scheduler at {scheduler} has no workers: start some with `dask worker {scheduler}`"
            )
        yield client.get_executor(pure=False, retries=RETRIES)
