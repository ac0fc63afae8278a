"""Errors become messages and exit statuses; standard output is the command's alone."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from longitudinal_al import __version__
from longitudinal_al.cli import COMMANDS
from longitudinal_al.cli import create as create_module
from longitudinal_al.project.store import Project

CONTRACT = [
    *("register", "synthesize", "create", "add", "prepare", "status", "train", "rank", "label", "predict"),
    *("evaluate", "simulate", "strategies"),
]
LABEL = ("label", "p", "--pair", "a", "--slice")


def test_the_commands_are_those_of_the_contract() -> None:
    assert [command for command in COMMANDS if command in CONTRACT] == CONTRACT


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_the_options_and_an_example(cli, command: str) -> None:
    shown = cli(command, "--help").done().out
    assert f"example:\n  longitudinal-al {command}" in shown
    assert "--json" in shown


def test_help_of_the_whole_names_every_command(cli) -> None:
    shown = cli("--help").done().out
    assert all(f"\n    {command}" in shown for command in COMMANDS)


def test_version_and_the_console_script_of_its_own(process) -> None:
    assert process("--version").done().out.strip() == f"longitudinal-al {__version__}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "COMMAND"),
        (("dance",), "dance"),
        (("create",), "PROJECT"),
        (("rank", "p", "--strategy", "random", "--batch", "0"), "give 1 or more"),
        (("rank", "p", "--strategy", "random", "--batch", "2", "--spacing-mm", "-1"), "0 or more"),
        ((*LABEL, "1"), "one of the arguments --mask --no-change --from-reference"),
        ((*LABEL, "1", "--no-change", "--from-reference"), "not allowed with"),
        ((*LABEL, "x", "--no-change"), "'x' is no whole number"),
        (("simulate", "p", "--strategies", "a", "--budget", "2"), "share"),
        (("simulate", "p", "--strategies", "a,,b"), "empty name"),
        (("synthesize", "d", "--patients", "1", "--seed", "-1"), "negative"),
    ],
)  # fmt: skip
def test_wrong_usage_is_said_with_status_two(cli, words: tuple[str, ...], said: str) -> None:
    cli(*words).refused(said, status=2)


def test_an_error_leaves_standard_output_empty_even_for_json(cli, tmp_path: Path) -> None:
    cli("status", tmp_path, "--json").refused(str(tmp_path), "longitudinal-al create")


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (KeyboardInterrupt(), 130, ("stopped; nothing is damaged, run the same command again",)),
        (ValueError("odd"), 70, ("'create'", "ValueError: odd", "report", "--debug")),
        (OSError(28, "No space left", "/x/y"), 1, ("/x/y", "the disk is full")),
        (OSError(5, "Input/output error"), 1, ("Input/output error",)),
    ],
)
def test_other_errors_end_as_one_message(
    cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
    words: tuple[str, ...],
) -> None:
    def fail(*_: object) -> None:
        print("half a result")
        raise error

    monkeypatch.setattr(create_module.Project, "create", fail)
    cli("create", tmp_path).refused(*words, status=status)


def test_debug_shows_where_an_error_came_from(cli, tmp_path: Path) -> None:
    assert "Traceback" in cli("status", tmp_path, "--debug").err


def test_a_reader_that_goes_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "longitudinal_al", "strategies"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_letters_that_the_terminal_lacks_are_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "longitudinal_al", "create", str(tmp_path / "prøject")]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.returncode == 0
    assert b"pr?ject" in done.stdout
    with Project.open(tmp_path / "prøject"):
        pass


def test_light_commands_do_not_load_the_heavy_libraries(tmp_path: Path) -> None:
    code = (
        "import sys; from longitudinal_al.cli import main; main(['create', sys.argv[1]]); "
        "main(['status', sys.argv[1]]); print({'torch', 'monai', 'SimpleITK'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "p"], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("set()\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_module_with_the_same_shape(command: str) -> None:
    module = importlib.import_module(f"longitudinal_al.cli.{command}")
    assert callable(module.add_arguments)
    assert callable(module.run)
