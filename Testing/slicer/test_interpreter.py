"""The worker's Python: which one, in which environment, and real ones that can and cannot be used."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import stand_ins  # first: it skips where Qt or slicer-core is missing

from longitudinal_al.errors import NotReady
from LongitudinalALLib import InterpreterCheck as module
from LongitudinalALLib.CheckedPython import CheckedPython
from LongitudinalALLib.Interpreter import (
    FOREIGN_UNSET,
    PACKAGE_FOLDER,
    VARIABLE,
    Interpreter,
    chosenInterpreter,
)
from LongitudinalALLib.InterpreterCheck import InterpreterCheck, Verdict, verdictOf

PATIENCE = 60.0


@pytest.fixture(scope="module")
def emptyPython(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real Python with nothing installed; `addPath` gives it a folder to import from."""
    folder = tmp_path_factory.mktemp("pythøn")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def addPath(python: Path, added: Path) -> Path:
    """Have a Python import from a folder, as if it were installed there; returns the file that says so."""
    code = "import sys, sysconfig; sys.stdout.buffer.write(sysconfig.get_paths()['purelib'].encode())"
    said = subprocess.run([str(python), "-c", code], capture_output=True, check=True).stdout.decode("utf-8")
    file = Path(said.strip()) / "added.pth"
    file.write_text(f"{added}\n", encoding="utf-8")
    return file


def verdictOn(path: str | Path) -> Verdict:
    told: list[Verdict] = []
    check = InterpreterCheck(Interpreter(str(path), isOwn=False), told.append)
    check.start()
    until(lambda: bool(told))
    stand_ins.letQtRun()
    assert len(told) == 1
    return told[0]


def until(isSo: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not isSo():
        assert time.monotonic() < end, "in vain"
        stand_ins.letQtRun()
        time.sleep(0.005)


def script(folder: Path, text: str) -> Path:
    file = folder / "a script"
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


# Which one, and in which environment


def test_a_foreign_python_gets_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FOREIGN_UNSET:
        monkeypatch.setenv(name, "/slicer")
    foreign, own = (Interpreter("/x/python", isOwn=each).environmentMapping() for each in (False, True))
    assert not set(foreign) & set(FOREIGN_UNSET)
    assert own["PYTHONPATH"] == os.pathsep.join([str(PACKAGE_FOLDER), "/slicer"])
    assert os.environ["PYTHONPATH"] == "/slicer"


def test_the_setting_comes_before_the_variable_and_slicers_own_last(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosenInterpreter(" /a/python ", {VARIABLE: "/b/python"}) == Interpreter("/a/python", isOwn=False)
    assert chosenInterpreter("", {VARIABLE: "/b/python"}) == Interpreter("/b/python", isOwn=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotReady, match="PythonSlicer was not found"):
        chosenInterpreter("", {})


# The verdict on real ones


def test_a_python_without_the_engine_is_told_how_to_install_it(emptyPython: Path) -> None:
    verdict = verdictOn(emptyPython)
    assert not verdict.isUsable
    assert f"{emptyPython} -m pip install longitudinal-al" in verdict.sentence


def test_a_python_without_torch_is_told_what_is_missing(emptyPython: Path) -> None:
    file = addPath(emptyPython, PACKAGE_FOLDER)
    try:
        verdict = verdictOn(emptyPython)
    finally:
        file.unlink()
    assert not verdict.isUsable
    assert verdict.sentence.endswith("torch, monai, SimpleITK missing there.")


def test_an_engine_that_speaks_otherwise_does_not_fit(emptyPython: Path, tmp_path: Path) -> None:
    package = tmp_path / "longitudinal_al"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '0.0.7'", encoding="utf-8")
    (package / "protocol.py").write_text("PROTOCOL = 0", encoding="utf-8")
    file = addPath(emptyPython, tmp_path)
    try:
        verdict = verdictOn(emptyPython)
    finally:
        file.unlink()
    assert not verdict.isUsable
    assert "longitudinal-al 0.0.7 there does not fit" in verdict.sentence


def test_a_python_with_all_of_it_is_usable() -> None:
    try:
        torch = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("no torch here")
    version = ".".join(map(str, sys.version_info[:3]))
    assert verdictOn(sys.executable) == Verdict(True, f"Python {version} with torch {torch}.")


def test_what_is_no_python_is_called_so(tmp_path: Path) -> None:
    assert verdictOn(tmp_path / "none").sentence == f"There is no file {tmp_path / 'none'}."
    assert "is no file" in verdictOn(tmp_path).sentence


@pytest.mark.skipif(os.name != "posix", reason="needs scripts that are programs")
def test_programs_that_are_no_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdictOn(script(tmp_path, "echo hello")).sentence.endswith("is no Python.")
    file = script(tmp_path, "exit 3")
    assert verdictOn(file).sentence.endswith("is no Python.")
    file.chmod(0o644)
    if os.geteuid() != 0 or not os.access(file, os.X_OK):
        assert "cannot be started" in verdictOn(file).sentence
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.2)
    assert "has not answered for 0.2 s" in verdictOn(script(tmp_path, "exec sleep 60")).sentence


def test_a_python_that_is_too_old() -> None:
    verdict = verdictOf(b'{"python": [3, 8, 10]}', Interpreter("/old/python", isOwn=False))
    assert verdict == Verdict(False, "Python 3.8.10: too old, 3.10 is the least.")


# Checked before it is used


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv(VARIABLE, raising=False)
    made = SimpleNamespace(setting="", told=[], lacking=None, installs=[])
    requirements = SimpleNamespace(
        missing=lambda: made.lacking, install=lambda line, finished: made.installs.append(finished(""))
    )
    made.python = CheckedPython(lambda: made.setting, requirements, made.told.append)
    yield made
    made.python.stop()


def test_another_python_is_used_after_it_was_found_usable(desk: Any) -> None:
    desk.setting = sys.executable
    assert desk.python.begin() is None
    with pytest.raises(NotReady, match="being checked"):
        desk.python.interpreter()
    until(lambda: bool(desk.told))
    assert desk.python.begin() == desk.python.interpreter() == Interpreter(sys.executable, isOwn=False)
    assert len(desk.told) == 1


def test_one_that_cannot_be_used_is_not_and_is_checked_anew_when_asked(desk: Any, emptyPython: Path) -> None:
    desk.setting = str(emptyPython)
    assert desk.python.begin() is None
    until(lambda: bool(desk.told))
    for refused in (desk.python.begin, desk.python.interpreter):
        with pytest.raises(NotReady, match="pip install longitudinal-al"):
            refused()
    desk.python.forgetRefusal()
    assert desk.python.begin() is None
    until(lambda: len(desk.told) == 2)


def test_a_verdict_on_one_that_is_not_wanted_any_more_is_not_told(desk: Any, emptyPython: Path) -> None:
    desk.setting = str(emptyPython)
    desk.python.check()
    desk.setting = sys.executable
    desk.python.check()
    until(lambda: bool(desk.told))
    stand_ins.letQtRun()
    assert [verdict.isUsable for verdict in desk.told] == [True]


def test_into_slicer_nothing_is_installed_for_another_python(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.lacking = "torch is missing"
    ends: list[str] = []
    assert desk.python.missing() == "torch is missing"
    monkeypatch.setenv(VARIABLE, sys.executable)
    assert desk.python.missing() is None
    desk.python.install(print, ends.append)
    assert ends == [f"Nothing is installed into Slicer: the worker runs in {sys.executable}."]
    assert desk.installs == []
    monkeypatch.delenv(VARIABLE)
    desk.python.install(print, ends.append)
    assert ends[1:] == [""]


def test_slicers_own_python_is_not_started_without_its_packages(
    desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / ("PythonSlicer.exe" if sys.platform == "win32" else "PythonSlicer")
    own.write_text("#!/bin/sh\n", encoding="utf-8")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert desk.python.begin() == Interpreter(str(own), isOwn=True)
    desk.lacking = "torch is missing"
    with pytest.raises(NotReady, match="install them under Project"):
        desk.python.begin()
    assert desk.told == []
