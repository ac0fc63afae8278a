"""`worker` at its doors: what it says when it cannot serve. What it does when it can: ../worker/."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from longitudinal_al.project.store import Project


def leaving(outcome) -> str:
    """Assert that the worker said why it leaves, as the protocol has it, and nothing else; return that."""
    assert outcome.status == 1, (outcome.out, outcome.err)
    assert outcome.err == ""
    event = json.loads(outcome.out)
    assert (event["event"], event["id"]) == ("leaving", None)
    return event["reason"]


def test_without_a_project(process, tmp_path: Path) -> None:
    assert "there is no project in" in leaving(process("worker", tmp_path))
    assert "there is no project in" in leaving(process("worker", tmp_path / "fehlt-ö"))
    assert list(tmp_path.iterdir()) == []


def test_with_a_damaged_project(process, tmp_path: Path) -> None:
    Project.create(tmp_path / "p").close()
    (tmp_path / "p" / "project.sqlite").write_bytes(b"no database " * 100)
    assert "is damaged" in leaving(process("worker", tmp_path / "p"))


def test_with_an_unknown_strategy(process, tmp_path: Path) -> None:
    Project.create(tmp_path / "p").close()
    reason = leaving(process("worker", tmp_path / "p", "--strategy", "magic"))
    assert "unknown strategy 'magic': choose one of" in reason


@pytest.mark.parametrize("words", [[], ["p", "q"], ["p", "--port", "1"]])
def test_wrong_usage(process, words: list[str]) -> None:
    process("worker", *words).refused("usage:", status=2)
