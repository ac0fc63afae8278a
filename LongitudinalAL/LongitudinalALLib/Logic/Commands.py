"""Commands of the engine beside the work of the window, in a process of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from slicer.i18n import tr as _

from longitudinal_al.frontend.process_tree import end_tree, start_tree
from LongitudinalALLib.Logic.Study import Study

Done = Callable[[int, str], None]
SECONDS_TO_LEAVE = 5.0


class Commands:
    """Runs `longitudinal-al` commands one beside the other; their ends are told at the study's next tick.

    Parameters
    ----------
    study : Study
        Its ticks tell the ends, on their thread; its closing ends what still runs.
    python : callable
        Returns the interpreter.
    environment : callable
        Returns the environment to start it in.
    """

    def __init__(
        self, study: Study, python: Callable[[], str], environment: Callable[[], Mapping[str, str]]
    ) -> None:
        self._python, self._environment = python, environment
        self._running: list[_Running] = []
        study.ticked.connect(self.tick)
        study.closing.connect(self.stop)

    def run(self, words: Sequence[str], done: Done) -> None:
        """Start a command; `done(exitStatus, output)` is called at a later tick."""
        command = [self._python(), "-m", "longitudinal_al", *words]
        try:
            self._running.append(_Running(command, self._environment(), done))
        except OSError as error:
            words = _("{program} cannot be started: {reason}")
            done(-1, words.format(program=command[0], reason=error.strerror))

    def tick(self) -> None:
        """Tell who has ended."""
        ended = [each for each in self._running if not each.thread.is_alive()]
        self._running = [each for each in self._running if each.thread.is_alive()]
        for each in ended:
            each.done(each.process.returncode, each.said)

    def stop(self) -> None:
        """End all, with their children; nobody is told."""
        for each in self._running:
            end_tree(each.process)
            each.thread.join(SECONDS_TO_LEAVE)
        self._running.clear()


class _Running:
    """A command, and the thread that reads what it says."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], done: Done) -> None:
        self.process = start_tree(command, environment)
        self.done = done
        self.said = ""
        self.thread = threading.Thread(target=self._read, name="command", daemon=True)
        self.thread.start()

    def _read(self) -> None:
        output, errors = self.process.communicate()
        self.said = (errors or output).decode("utf-8", "replace")
