"""`docs/command-line.md` names every command and every option."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path

import pytest

from longitudinal_al.cli import COMMANDS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "command-line.md"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_section_names_every_argument(command: str) -> None:
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (section,) = (text for text in sections if text.startswith(f"{command}\n"))
    parser = argparse.ArgumentParser(add_help=False)
    importlib.import_module(f"longitudinal_al.cli.{command}").add_arguments(parser)
    for action in parser._actions:
        name = action.option_strings[0] if action.option_strings else str(action.metavar)
        assert re.search(rf"{re.escape(name)}\b", section), f"{name} of {command} is not in {PAGE.name}"
