"""Progress over jobs of different length, so that the time left is told from what takes the time."""

from __future__ import annotations

from collections.abc import Sequence


def share_of_all(costs: Sequence[float], job: int, share: float) -> float:
    """Return the share of all jobs that is done, when this one, by its index, is done by so much.

    Parameters
    ----------
    costs : sequence of float
        How long each job takes, in any unit.
    job : int
        The one that is being done; those before it are done.
    share : float
        How much of it is done, from 0 to 1.
    """
    return (sum(costs[:job]) + share * costs[job]) / sum(costs)
