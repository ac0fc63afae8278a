"""`ask`: one question to a real worker, through the client of every front end."""

from __future__ import annotations

import pytest

from longitudinal_al.cli.ask import typed
from longitudinal_al.errors import InvalidInput, UnknownName
from longitudinal_al.project.lock import worker_lock
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Verb


def test_a_worker_answers_and_leaves(cli, small_project: Project) -> None:
    asked = ("ask", small_project.folder, "rank", "strategy=difference", "batch=3")
    result = cli(*asked, "--json").done().json
    assert result["total"] == small_project.status()["pool_slice_pairs"]
    with worker_lock(small_project.folder):
        pass  # nobody holds it any more


def test_an_answer_for_people_names_nothing_of_python(cli, small_project: Project) -> None:
    lines = cli("ask", small_project.folder, "status").done().out.splitlines()
    assert "busy: -" in lines and not [line for line in lines if "None" in line or "{'" in line]


def test_what_the_worker_refuses_is_told_in_its_words(cli, small_project: Project) -> None:
    cli("ask", small_project.folder, "explain", "pair=p0", "slice=8").refused("train")
    cli("ask", small_project.folder, "rank", "strategy=magic").refused("'magic'", "random")


def test_beside_another_worker_it_says_so(cli, small_project: Project) -> None:
    with worker_lock(small_project.folder):
        cli("ask", small_project.folder, "status").refused("worker")


def test_words_become_arguments_of_their_type() -> None:
    assert typed(Verb.EXPLAIN, ["pair=7", "slice=23"]) == {"pair": "7", "slice": 23}
    assert typed(Verb.STATUS, ["labelling=yes"]) == {"labelling": True}
    assert typed(Verb.RANK, ["strategy=recipe:spacing=off"]) == {"strategy": "recipe:spacing=off"}
    with pytest.raises(InvalidInput, match="NAME=VALUE"):
        typed(Verb.TRAIN, ["seed"])
    with pytest.raises(InvalidInput, match="a whole number"):
        typed(Verb.TRAIN, ["seed=seven"])
    with pytest.raises(UnknownName, match="seed"):
        typed(Verb.TRAIN, ["sead=7"])
