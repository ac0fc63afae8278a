"""What the process says to the C runtime about paths; that Windows follows is not seen here."""

import locale
import subprocess
import sys

import pytest

from longitudinal_al.imaging import path_letters


def test_on_windows_alone_paths_become_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[int, str]] = []
    monkeypatch.setattr(path_letters.locale, "setlocale", lambda *given: said.append(given))
    monkeypatch.setattr(path_letters.sys, "platform", "linux")
    path_letters.let_libraries_open_any_path()
    assert said == []
    monkeypatch.setattr(path_letters.sys, "platform", "win32")
    path_letters.let_libraries_open_any_path()
    assert said == [(locale.LC_CTYPE, ".UTF8")]


def test_where_there_is_no_such_locale_all_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(category: int, name: str) -> None:
        raise locale.Error("unsupported locale setting")

    monkeypatch.setattr(path_letters.locale, "setlocale", refuse)
    monkeypatch.setattr(path_letters.sys, "platform", "win32")
    path_letters.let_libraries_open_any_path()


CHILD = """
import locale, types
from longitudinal_al.imaging import path_letters
path_letters.sys = types.SimpleNamespace(platform="win32")
locale.setlocale = lambda *given: print(given[1])
import {module}
"""


@pytest.mark.parametrize(
    "module", ["imaging.reading", "pairs.preparation", "pairs.pool", "exports.predictions"]
)
def test_whatever_reads_scans_says_it_in_every_process(module: str) -> None:
    child = CHILD.format(module=f"longitudinal_al.{module}")
    done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [".UTF8"]
