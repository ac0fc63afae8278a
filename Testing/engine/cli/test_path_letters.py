"""What the process says to the C runtime about paths; that Windows follows is not seen here."""

import locale

import pytest

from longitudinal_al.cli import main, path_letters


def test_on_windows_alone_paths_become_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[int, str]] = []
    monkeypatch.setattr(path_letters.locale, "setlocale", lambda *given: said.append(given))
    monkeypatch.setattr(path_letters.sys, "platform", "linux")
    path_letters.let_libraries_open_any_path()
    assert said == []
    monkeypatch.setattr(path_letters.sys, "platform", "win32")
    path_letters.let_libraries_open_any_path()
    assert said == [(locale.LC_CTYPE, ".UTF8")]


def test_where_there_is_no_such_locale_the_command_goes_on(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def refuse(category: int, name: str) -> None:
        raise locale.Error("unsupported locale setting")

    monkeypatch.setattr(path_letters.locale, "setlocale", refuse)
    monkeypatch.setattr(path_letters.sys, "platform", "win32")
    path_letters.let_libraries_open_any_path()
    monkeypatch.undo()
    assert main(["strategies"]) == 0
    assert "recipe" in capsys.readouterr().out
