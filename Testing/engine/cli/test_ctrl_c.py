"""A Ctrl-C that a library swallows still ends the command, at its next report of progress."""

from __future__ import annotations

import signal
from contextlib import suppress

import pytest

from longitudinal_al.cli import main
from longitudinal_al.cli.ctrl_c import heard, stop_if_pressed
from longitudinal_al.cli.progress import Progress

pytestmark = pytest.mark.usefixtures("ctrl_c_as_on_a_terminal")


def test_a_swallowed_ctrl_c_stops_at_the_next_report() -> None:
    with heard(), Progress("training") as progress:
        progress("training", 0.1)
        with suppress(KeyboardInterrupt):  # as an import inside of a library does
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            progress("training", 0.2)


def test_what_was_made_of_a_ctrl_c_is_no_fault(monkeypatch, capsys) -> None:
    def run(arguments, output):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise RuntimeError("Error calling __set_name__")  # as Python does in the body of a class

    monkeypatch.setattr("longitudinal_al.cli.strategies.run", run)
    assert main(["strategies"]) == 130
    assert "nothing is damaged" in capsys.readouterr().err


def test_nothing_of_it_is_left_for_the_next_command() -> None:
    with heard(), suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with heard():
        stop_if_pressed()
