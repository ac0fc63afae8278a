"""The worker's main thread: one request at a time, thoughts in between, and what becomes of errors."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from longitudinal_al import __version__
from longitudinal_al.errors import Cancelled, Interrupted, LongitudinalALError, OutOfMemory
from longitudinal_al.network.device import is_out_of_memory
from longitudinal_al.project.files import storage_failed
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import PROTOCOL, EventKind, Verb
from longitudinal_al.serving import early_imports
from longitudinal_al.serving.board import IDLE, Board
from longitudinal_al.serving.channel import Channel
from longitudinal_al.serving.desk import MESSAGE_LETTERS, Desk
from longitudinal_al.serving.job import Job
from longitudinal_al.serving.priority import Threads
from longitudinal_al.serving.watch import ProjectWatch

VANISHED = 4
"""Exit status when the project's folder is gone."""
IDLE_SECONDS = 1.0

Handler = Callable[[Job, Project], dict[str, Any]]


@dataclass(frozen=True)
class Task:
    """What is done for a verb, and how that is called while it goes on."""

    handler: Handler
    doing: str
    sentence: str
    replaces_pairs: bool = False
    """Whether files of pairs are replaced, which Windows refuses while a half-done thought reads them."""


class Thinker(Protocol):
    """What goes on between requests."""

    def step(self, interrupt: Callable[[], None]) -> bool:
        """Do one bounded piece, and tell whether there may be more to do; stop when `interrupt` raises."""

    def drop(self) -> None:
        """Give up what is half done, and let go of its files."""


class Service:
    """Puts desk, watch and handlers together, and works on the thread that calls `run`.

    Parameters
    ----------
    folder : Path
        The project's folder.
    channel : Channel
        To the front end.
    tasks : mapping of Verb to Task
        What it can do.
    end : callable
        See `Desk`.
    """

    def __init__(
        self,
        folder: Path,
        channel: Channel,
        tasks: Mapping[Verb, Task],
        end: Callable[[int], None] = os._exit,
    ) -> None:
        self._folder = folder
        self._channel = channel
        self._tasks = tasks
        self._threads = Threads()
        self.board = Board(channel.send)
        self.watch = ProjectWatch(folder, self.board, lambda: self.desk.wake(), self._vanished)
        self.desk = Desk(channel, tasks, self.board.describe, self._labelling, self._heard, end)
        channel.when_broken(lambda: self.desk.leave("the front end is gone"))

    def run(self, requests: int, thinker: Thinker | None = None) -> int:
        """Serve until it is time to leave; `requests` is the descriptor they come from.

        Returns
        -------
        int
            The exit status.
        """
        with Project.open(self._folder) as project:
            self.watch.look(project)
        self.watch.start()
        self._channel.send(EventKind.READY, process=os.getpid(), version=__version__, protocol=PROTOCOL)
        early_imports.begin()
        threading.Thread(target=self.desk.listen, args=(requests,), name="desk", daemon=True).start()
        more = True
        while not self.desk.leaving:
            job = self.desk.next(0 if more else IDLE_SECONDS)
            if job:
                self._work(job, thinker)
            more = bool(job) or self._think(thinker)
            if not more:
                self.board.say(IDLE, "Nothing to do.")
        self._channel.send(EventKind.LEAVING, reason=self.desk.leaving.reason)
        return self.desk.leaving.status

    def _work(self, job: Job, thinker: Thinker | None) -> None:
        task = self._tasks[job.request.verb]
        if thinker and task.replaces_pairs:
            thinker.drop()
        self.board.say(task.doing, task.sentence)
        try:
            with Project.open(self._folder) as project:
                result = task.handler(job, project)
                self.watch.look(project)
            self.desk.finish(EventKind.DONE, result=result)
        except Cancelled:
            self.desk.finish(EventKind.CANCELLED)
        except Exception as error:
            self.desk.finish(EventKind.FAILED, **in_words(error))

    def _think(self, thinker: Thinker | None) -> bool:
        """Let the live loop do a piece of work; tell whether it has more to do."""
        self._heard()
        if thinker is None or self.desk.resting or self.desk.leaving:
            return False
        try:
            return thinker.step(self._interrupt)
        except Interrupted:
            return True
        except Cancelled:
            return False
        except Exception as error:
            self._channel.send(EventKind.NOTE, None, message=in_words(error)["message"])
            self.desk.rest()
            return False

    def _interrupt(self) -> None:
        self._heard()
        self.desk.interrupt()

    def publish(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        """Send what the live loop has to say; what it does is written on the board too."""
        if kind is EventKind.STATE:
            self.board.say(data["doing"], data["sentence"])
        else:
            self._channel.send(kind, None, **data)

    def _heard(self) -> None:
        """Run on every report of the work that goes on."""
        self.board.heard()
        self._threads.share(self.watch.someone_labels)

    def _labelling(self) -> None:
        self.watch.labelling()
        self.desk.wake()

    def _vanished(self) -> None:
        message = f"the project's folder {self._folder} is gone: put it back and start again"
        self._channel.send(EventKind.NOTE, None, message=message)
        self.desk.leave("the project's folder is gone", VANISHED)


def in_words(error: Exception) -> dict[str, str]:
    """Return what `failed` says of an error: what to do, and the error's type."""
    if isinstance(error, LongitudinalALError):
        known: Exception = error
    elif is_out_of_memory(error):
        known = OutOfMemory("there is not enough memory: close other programs and do the same again")
    elif isinstance(error, OSError) and error.filename is not None:
        known = storage_failed(Path(os.fsdecode(error.filename)), error)
    else:
        with suppress(OSError):  # nobody may be listening to standard error
            traceback.print_exception(error)
        message = f"fault in the worker: {type(error).__name__}: {error}. Please report it."
        return {"message": message[:MESSAGE_LETTERS], "error": type(error).__name__}
    return {"message": str(known)[:MESSAGE_LETTERS], "error": type(known).__name__}
