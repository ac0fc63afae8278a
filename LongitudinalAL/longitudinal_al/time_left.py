"""How long a step will still take, as far as its own pace tells."""

from __future__ import annotations

import time


class TimeLeft:
    """The time left of the step at hand.

    The first share told of a step was there before it began, as when an interrupted experiment goes on: it
    took none of the step's time. A smaller share than the one before begins another step.
    """

    def __init__(self) -> None:
        self._share = float("inf")
        self._began = 0.0, 0.0

    def tell(self, share: float) -> None:
        """Say which share of the whole, from 0 to 1, is behind us now."""
        if share < self._share:
            self._began = time.monotonic(), share
        self._share = share

    def seconds(self, enough: float = 0.0) -> float | None:
        """Return the seconds left.

        Parameters
        ----------
        enough : float
            Share of what there was to do that must be behind us, lest a guess be told.

        Returns
        -------
        float or None
            None while the pace is not known.
        """
        began, first = self._began
        gained, to_do = self._share - first, 1 - first
        if not gained > 0 or gained < enough * to_do:
            return None
        return (time.monotonic() - began) * (1 - self._share) / gained
