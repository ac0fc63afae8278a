"""Which Python runs the worker, and in which environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from longitudinal_al.errors import NotReady

VARIABLE = "LONGITUDINALAL_PYTHON"
FOREIGN_UNSET = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "PYTHONNOUSERSITE")
"""Slicer sets these for its own Python; another one would read Slicer's libraries with them, and fail."""
PACKAGE_FOLDER = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Interpreter:
    """A Python that can run the worker.

    Attributes
    ----------
    path : str
        Its program.
    isOwn : bool
        Whether it is Slicer's own; it finds the engine beside this file, another one has to have it
        installed.
    """

    path: str
    isOwn: bool

    def environment(self) -> Any:
        """Return the environment to start it in; that of Slicer itself stays as it is.

        Contract: Qt `QProcessEnvironment.systemEnvironment`; Slicer `Base/Python/slicer/packaging.py`,
        `_executePythonModule`: PythonSlicer is started in Slicer's present environment.
        """
        environment = qt.QProcessEnvironment.systemEnvironment()
        if self.isOwn:
            paths = [str(PACKAGE_FOLDER), environment.value("PYTHONPATH")]
            environment.insert("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        else:
            for name in FOREIGN_UNSET:
                environment.remove(name)
        environment.insert("PYTHONIOENCODING", "utf-8")
        # The folder it is started in may hold a file of the name of a package.
        environment.insert("PYTHONSAFEPATH", "1")
        return environment

    def environmentMapping(self) -> dict[str, str]:
        """Return the environment as names and values, for a process that is not Qt's."""
        environment = self.environment()
        names = environment.keys()
        return {str(name): str(environment.value(name)) for name in names if name}


def chosenInterpreter(setting: str = "", environment: Mapping[str, str] | None = None) -> Interpreter:
    """Return the interpreter of the worker: that of the setting, of `LONGITUDINALAL_PYTHON`, or Slicer's own.

    Raises
    ------
    NotReady
        When Slicer's own cannot be found.
    """
    given = setting.strip() or (os.environ if environment is None else environment).get(VARIABLE, "").strip()
    if given:
        return Interpreter(given, isOwn=False)
    return Interpreter(ownPython(), isOwn=True)


def ownPython() -> str:
    """Return Slicer's own Python.

    Contract: Slicer `Base/Python/slicer/packaging.py`, `_executePythonModule`: PythonSlicer is found on the
    PATH that Slicer sets; `sys.executable` is a launcher, or empty.

    Raises
    ------
    NotReady
        When there is none.
    """
    found = shutil.which("PythonSlicer")
    if not found:
        advice = _("name another Python under Learning, Advanced, or install Slicer again")
        raise NotReady(_("PythonSlicer was not found: {advice}").format(advice=advice))
    return found
