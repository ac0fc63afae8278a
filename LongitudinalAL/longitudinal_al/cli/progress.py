"""How far a long step is, and how long it will still take: a bar, or plain lines without a terminal."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO

from tqdm import tqdm

from longitudinal_al.cli.ctrl_c import stop_if_pressed
from longitudinal_al.time_left import TimeLeft

SILENT_SECONDS = 2.0
LINE_SECONDS = 10.0
TICK_SECONDS = 0.5
BAR = "{desc}: {percentage:3.0f} %|{bar:30}| {elapsed} so far"
ENOUGH_SHARE = 0.01
"""With less behind us, the time left would be a guess: hours for what takes minutes."""


class Progress:
    """A context that is called with (phase, share done from 0 to 1), as the engine's steps do.

    Nothing is shown for steps of under 2 seconds. A thread keeps the time running between two calls, which
    may be minutes apart.
    """

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self.title = title
        self.phase = ""
        self.share = 0.0
        self._stream = stream or sys.stderr
        self._started = time.monotonic()
        self._left = TimeLeft()
        self._last_line = float("-inf")
        self._bar: tqdm[None] | None = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep_showing, daemon=True)

    def __call__(self, phase: str, share: float) -> None:
        """Say what is being done, and the share of the whole that is behind us."""
        stop_if_pressed()
        with self._lock:
            if share < self.share:  # another step begins
                self._started = time.monotonic()
                self._close_bar()
            self.phase, self.share = phase, min(max(share, 0.0), 1.0)
            self._left.tell(self.share)

    def portion(self, share: float) -> None:
        """Say the share alone, for steps that have no phases."""
        self(self.phase, share)

    def count(self, phase: str, done: int, total: int) -> None:
        """Say how many of how many are behind us."""
        self(phase, done / total if total else 1.0)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._close_bar()

    def _keep_showing(self) -> None:
        while not self._ended.wait(TICK_SECONDS):
            self.show()

    def show(self) -> None:
        """Draw the present state, unless it is too early."""
        with self._lock:
            if time.monotonic() - self._started < SILENT_SECONDS:
                return
            if self._stream.isatty():
                self._draw_bar()
            elif time.monotonic() - self._last_line >= LINE_SECONDS:
                self._last_line = time.monotonic()
                print(self._line(), file=self._stream, flush=True)

    def _draw_bar(self) -> None:
        bar = self._bar
        if bar is None:
            bar = self._bar = tqdm(total=1.0, file=self._stream, leave=False)
            bar.start_t -= time.monotonic() - self._started
        left = self._left.seconds(ENOUGH_SHARE)
        bar.bar_format = BAR if left is None else f"{BAR}, about {_span(left)} left"
        bar.n = self.share
        bar.desc = self._words()
        bar.refresh()

    def _close_bar(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()

    def _words(self) -> str:
        return f"{self.title} {self.phase}" if self.phase else self.title.removesuffix(":")

    def _line(self) -> str:
        elapsed = _span(time.monotonic() - self._started)
        left = self._left.seconds(ENOUGH_SHARE)
        told = "time left unknown" if left is None else f"about {_span(left)} left"
        return f"{self._words()}: {self.share:.0%} done, {elapsed} so far, {told}"


def _span(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
