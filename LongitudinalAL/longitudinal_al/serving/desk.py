"""Where requests come in: status and cancel are answered at once, the others wait for the main thread."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from longitudinal_al.errors import Cancelled, Interrupted, ProtocolError
from longitudinal_al.protocol import (
    MAX_LINE_BYTES,
    EventKind,
    Lines,
    Request,
    TooLong,
    Verb,
    decode_request,
)
from longitudinal_al.serving.channel import Channel
from longitudinal_al.serving.job import Job

MOST_WAITING = 100
SECONDS_TO_LEAVE = 3.0
"""Whoever works when the worker has to leave is given so long to stop."""
MESSAGE_LETTERS = 4000


@dataclass(frozen=True)
class Leaving:
    """Why the worker leaves, and the exit status."""

    reason: str
    status: int


class Desk:
    """Takes requests on a thread of its own, while the main thread works on one of them.

    Parameters
    ----------
    channel : Channel
        Takes the answers.
    handled : collection of Verb
        What the main thread can do.
    describe : callable
        Returns the result of `status`; called on the desk's thread, and never waits.
    labelling : callable
        Called on the desk's thread when the front end says that someone labels.
    heard : callable
        Called at every report of the work, on the main thread.
    end : callable
        Ends the process with an exit status when the main thread did not in time.
    """

    def __init__(
        self,
        channel: Channel,
        handled: Collection[Verb],
        describe: Callable[[], dict[str, Any]],
        labelling: Callable[[], None] = lambda: None,
        heard: Callable[[], None] = lambda: None,
        end: Callable[[int], None] = os._exit,
    ) -> None:
        self._channel = channel
        self._handled = frozenset(handled)
        self._describe = describe
        self._labelling = labelling
        self._heard = heard
        self._end = end
        self._answers: dict[Verb, Callable[[Request], dict[str, Any]]] = {
            Verb.STATUS: self._status,
            Verb.CANCEL: self._cancel,
            Verb.SHUTDOWN: lambda request: {},
        }
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._resting = self._nudged = False
        self.leaving: Leaving | None = None

    # The main thread's side

    def next(self, seconds: float) -> Job | None:
        """Wait some seconds for a request (or `wake`) and take it; it has to be finished with `finish`."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self.leaving or self._nudged, seconds)
            self._nudged = False
            self._running = self._waiting.popleft() if self._waiting and not self.leaving else None
            return self._running

    def finish(self, kind: EventKind, **data: Any) -> None:
        """Send the one terminal event of the request that was taken."""
        with self._changed:
            job, self._running = self._running, None
        if job is None:
            return
        try:
            job.send(kind, **data)
        except (ProtocolError, TypeError, ValueError) as error:  # too long, or nothing that JSON knows
            self._fail(job.request.id, error)

    @property
    def resting(self) -> bool:
        """Whether everything was called off, thoughts too, and nothing new has come since."""
        return self._resting

    def rest(self) -> None:
        """Think no more until something new comes."""
        self._resting = True

    def wake(self) -> None:
        """Say that something new has come, such as a label; from any thread."""
        with self._changed:
            self._resting, self._nudged = False, True
            self._changed.notify_all()

    def interrupt(self) -> None:
        """Stop a thought of one's own: `Cancelled` when all was called off, `Interrupted` for a request."""
        if self._resting or self.leaving:
            raise Cancelled("all was cancelled; what was finished before is kept")
        if self._waiting:
            raise Interrupted("a request waits")

    def leave(self, reason: str, status: int = 0) -> None:
        """Call everything off; the process ends when the main thread stops, or soon. From any thread."""
        with self._changed:
            if self.leaving:
                return
            self.leaving = Leaving(reason, status)
            self._changed.notify_all()
        timer = threading.Timer(SECONDS_TO_LEAVE, self._end_anyway, (self.leaving,))
        timer.daemon = True
        timer.start()
        self._cancel_jobs(None)

    def _end_anyway(self, leaving: Leaving) -> None:
        """End the process; whoever works still did not stop in time, and its request is called off for it."""
        self.finish(EventKind.CANCELLED)
        self._channel.send(EventKind.LEAVING, reason=leaving.reason)
        self._channel.close()
        self._end(leaving.status)

    # The front end's side

    def listen(self, descriptor: int) -> None:
        """Take requests until the pipe ends, which means that the front end is gone."""
        lines = Lines()
        try:
            while data := os.read(descriptor, 65536):
                for line in lines.feed(data):
                    self.take(line)
        except OSError:
            pass  # a broken pipe is an ended one
        self.leave("the front end is gone")

    def take(self, line: bytes | TooLong) -> None:
        """Answer one line, or put it to what waits; whatever is in it, the worker goes on."""
        try:
            if isinstance(line, TooLong):
                raise ProtocolError(f"a message is longer than {MAX_LINE_BYTES} bytes: put it into a file")
            request = decode_request(line)
            self._refuse_known(request.id)
        except ProtocolError as error:
            known = error.id is not None and self._find(error.id)
            self._fail(None if known else error.id, error)
            return
        answer = self._answers.get(request.verb)
        if answer is None:
            self._queue(request)
            return
        self._channel.send(EventKind.DONE, request.id, result=answer(request))
        if request.verb is Verb.SHUTDOWN:
            self.leave("asked to")

    def _refuse_known(self, id: str) -> None:
        if self._find(id):
            raise ProtocolError(f"the id {id!r} is that of a request which is not finished: give another", id)

    def _find(self, id: str) -> bool:
        with self._changed:
            return any(job.request.id == id for job in self._unfinished())

    def _unfinished(self) -> list[Job]:
        return ([self._running] if self._running else []) + list(self._waiting)

    def _fail(self, id: str | None, error: Exception) -> None:
        message = str(error)[:MESSAGE_LETTERS]
        self._channel.send(EventKind.FAILED, id, message=message, error=type(error).__name__)

    def _queue(self, request: Request) -> None:
        problem = ""
        with self._changed:
            if self.leaving:
                problem = f"the worker leaves ({self.leaving.reason}): start another"
            elif request.verb not in self._handled:
                problem = f"this worker cannot {request.verb.value} yet"
            elif len(self._waiting) >= MOST_WAITING:
                problem = f"{MOST_WAITING} requests wait already, which is too many: wait for answers"
            else:
                self._waiting.append(Job(request, self._channel.send, self._heard))
                self._resting = False
                self._changed.notify_all()
        if problem:
            self._fail(request.id, ProtocolError(problem, request.id))

    def _status(self, request: Request) -> dict[str, Any]:
        if request.arguments["labelling"]:
            self._labelling()
        with self._changed:
            running, queue = self._running, len(self._waiting)
        return {"busy": running.request.id if running else None, **self._describe(), "queue": queue}

    def _cancel(self, request: Request) -> dict[str, Any]:
        return {"cancelled": self._cancel_jobs(request.arguments["request"])}

    def _cancel_jobs(self, id: str | None) -> list[str]:
        """Call off one request, or all and every thought too; return the ids of what was unfinished."""
        with self._changed:
            wanted = [job for job in self._unfinished() if id in (None, job.request.id)]
            dropped = [job for job in wanted if job is not self._running]
            self._waiting = deque(job for job in self._waiting if job not in dropped)
            self._resting = self._resting or id is None
        for job in wanted:
            job.cancel()
        for job in dropped:
            job.send(EventKind.CANCELLED)
        return [job.request.id for job in wanted]
