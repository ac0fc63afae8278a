"""The Python of the worker, which is used only after it was found to be usable."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from longitudinal_al.errors import NotReady
from LongitudinalALLib.Interpreter import VARIABLE, Interpreter, chosenInterpreter
from LongitudinalALLib.InterpreterCheck import InterpreterCheck, Verdict


class CheckedPython:
    """Slicer's own Python, of which the packages are looked up, or another one, which is asked.

    Parameters
    ----------
    setting : callable
        Returns the path that is set under Advanced, empty where none is.
    requirements : Requirements
        Of Slicer's own Python.
    told : callable
        Gets the `Verdict` on another Python, each time that it was asked.
    """

    def __init__(
        self, setting: Callable[[], str], requirements: Any, told: Callable[[Verdict], None]
    ) -> None:
        self._setting, self._requirements, self._told = setting, requirements, told
        self._check: InterpreterCheck | None = None
        self._checked = ""
        self._verdict: Verdict | None = None

    @property
    def isOwn(self) -> bool:
        """Whether it is Slicer's own; which may be missing, and is not looked for here."""
        return not self._setting().strip() and not os.environ.get(VARIABLE, "").strip()

    def missing(self) -> str | None:
        """Say what is to be installed into Slicer, and what that means; into another Python nothing is."""
        return str(self._requirements.missing() or "") or None if self.isOwn else None

    def install(self, line: Callable[[str], None], finished: Callable[[str], None]) -> None:
        """Install what is missing into Slicer; see `Requirements.install`."""
        if self.isOwn:
            self._requirements.install(line, finished)
        else:
            words = _("Nothing is installed into Slicer: the worker runs in {path}.")
            finished(words.format(path=chosenInterpreter(self._setting()).path))

    def interpreter(self) -> Interpreter:
        """Return the Python that runs the worker.

        Raises
        ------
        NotReady
            When there is none, when it cannot be used, or while it is being checked: words say which.
        """
        found = self._usable()
        if found is None:
            raise NotReady(_("the Python of the worker is being checked: try again in some seconds"))
        return found

    def begin(self) -> Interpreter | None:
        """Return the Python to start the worker with, `None` while it is being checked; the verdict is told.

        Raises
        ------
        NotReady
            When there is none, or it cannot be used.
        """
        self.check()
        return self._usable()

    def check(self) -> None:
        """Have it checked, unless it is Slicer's own, is being checked, or was."""
        path = "" if self.isOwn else chosenInterpreter(self._setting()).path
        if path == self._checked:
            return
        self.stop()
        self._checked = path
        if path:
            self._check = InterpreterCheck(Interpreter(path, isOwn=False), self._onVerdict)
            self._check.start()

    def forgetRefusal(self) -> None:
        """Have one that could not be used checked anew: something may have been installed there."""
        if self._verdict is not None and not self._verdict.isUsable:
            self.stop()

    def stop(self) -> None:
        """Have no verdict told any more, and forget what was found."""
        if self._check is not None:
            self._check.stop()
        self._check, self._verdict, self._checked = None, None, ""

    # What is behind it

    def _usable(self) -> Interpreter | None:
        chosen = chosenInterpreter(self._setting())
        if chosen.isOwn:
            if self._requirements.missing():
                raise NotReady(_("the worker lacks Python packages: install them under Project"))
            return chosen
        if self._verdict is None or chosen.path != self._checked:
            return None
        if not self._verdict.isUsable:
            raise NotReady(self._verdict.sentence)
        return chosen

    def _onVerdict(self, verdict: Verdict) -> None:
        self._check, self._verdict = None, verdict
        self._told(verdict)
