"""Ask a Python whether it can run the worker, beside the work of the window; the verdict is in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from longitudinal_al.protocol import PROTOCOL
from LongitudinalALLib.Interpreter import Interpreter

CHECK_SECONDS = 60
LEAST_PYTHON = (3, 10)
_CODE = """
import sys
answer = {"python": list(sys.version_info[:3])}
if sys.version_info >= (3, 10):
    from importlib import metadata
    for name in ("torch", "monai", "SimpleITK"):
        try:
            answer[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            answer[name] = ""
    try:
        import longitudinal_al, longitudinal_al.protocol
        answer["version"] = longitudinal_al.__version__
        answer["protocol"] = longitudinal_al.protocol.PROTOCOL
    except ImportError:
        pass
import json
print(json.dumps(answer))
"""


@dataclass(frozen=True)
class Verdict:
    """Whether an interpreter can be used, in words."""

    isUsable: bool
    sentence: str


class InterpreterCheck:
    """Asks an interpreter what it has, beside the work of the window, and gives a verdict.

    Contract: Qt `QProcess`: `finished` and `errorOccurred` are told to the main thread.

    Parameters
    ----------
    interpreter : Interpreter
    told : callable
        Gets the `Verdict`, once.
    """

    def __init__(self, interpreter: Interpreter, told: Callable[[Verdict], None]) -> None:
        self._interpreter = interpreter
        self._told: Callable[[Verdict], None] | None = told
        self._process = qt.QProcess()
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._onTime)
        self._process.setProcessEnvironment(interpreter.environment())
        self._process.finished.connect(self._onFinished)
        self._process.errorOccurred.connect(self._onError)

    def start(self) -> None:
        """Begin; the verdict comes later, or at once where there is no such file."""
        if not self._interpreter.isOwn and not Path(self._interpreter.path).is_file():
            self._tell(Verdict(False, _("There is no file {path}.").format(path=self._interpreter.path)))
            return
        self._timer.start(CHECK_SECONDS * 1000)
        self._process.start(self._interpreter.path, ["-c", _CODE])

    def stop(self) -> None:
        """Have no verdict told any more."""
        self._told = None
        self._end()

    def _onFinished(self, *_a: Any) -> None:
        self._tell(verdictOf(self._process.readAllStandardOutput().data(), self._interpreter))

    def _onError(self, *_a: Any) -> None:
        words = _("{path} cannot be started: {reason}.")
        reason = str(self._process.errorString()).rstrip(".")
        self._tell(Verdict(False, words.format(path=self._interpreter.path, reason=reason)))

    def _onTime(self) -> None:
        words = _("{path} has not answered for {seconds} s.")
        self._tell(Verdict(False, words.format(path=self._interpreter.path, seconds=CHECK_SECONDS)))

    def _tell(self, verdict: Verdict) -> None:
        told, self._told = self._told, None
        self._end()
        if told is not None:
            told(verdict)

    def _end(self) -> None:
        self._timer.stop()
        if self._process.state() != qt.QProcess.NotRunning:
            self._process.kill()


def verdictOf(output: bytes, interpreter: Interpreter) -> Verdict:
    """Judge what an interpreter said about itself."""
    try:
        said: dict[str, Any] = json.loads(bytes(output).decode("utf-8").strip().splitlines()[-1])
        version = ".".join(str(part) for part in said["python"])
    except (ValueError, IndexError, KeyError, TypeError):
        return Verdict(False, _("{path} is no Python.").format(path=interpreter.path))
    problem = _problem(said, interpreter)
    if problem:
        return Verdict(False, f"Python {version}: {problem}")
    return Verdict(
        True, _("Python {version} with torch {torch}.").format(version=version, torch=said["torch"])
    )


def _problem(said: Mapping[str, Any], interpreter: Interpreter) -> str:
    if tuple(said["python"]) < LEAST_PYTHON:
        return _("too old, {least} is the least.").format(least=".".join(map(str, LEAST_PYTHON)))
    if "protocol" not in said:
        return _("longitudinal-al is not installed there: run  {path} -m pip install longitudinal-al").format(
            path=interpreter.path
        )
    if said["protocol"] != PROTOCOL:
        return _("longitudinal-al {version} there does not fit this extension: update the older one.").format(
            version=said.get("version", "")
        )
    missing = [name for name in ("torch", "monai", "SimpleITK") if not said.get(name)]
    return _("{names} missing there.").format(names=", ".join(missing)) if missing else ""
