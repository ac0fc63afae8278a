"""A pool scored in parts, by whoever is free."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from longitudinal_al import scoring_elsewhere
from longitudinal_al.acquisition.needs import Needs
from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.errors import NotReady
from longitudinal_al.network.architecture import Architecture
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.records import Label, Verdict, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.rounds import rank, train_round

QUICK = TrainingSettings(
    steps=5, pretraining=0, batch=4, patch=32, architecture=Architecture(widths=(8, 8, 16, 16))
)


@pytest.fixture(scope="module")
def trained(prepared_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with a label and a model, which is only asked."""
    folder = tmp_path_factory.mktemp("trained") / "project"
    shutil.copytree(prepared_once, folder)
    with Project.open(folder) as project:
        pair = project.pairs()[0]
        mask = (Pool.open(project).pairs[pair.id].reference_slices()[8] > 0).astype(np.uint8)
        project.save_label(Label(pair.id, 8, mask, "tester", utc_now(), utc_now()))
        train_round(project, settings=QUICK, strategy_name="learning_loss")
        yield project


@pytest.mark.parametrize(
    "name", ["entropy", "kcenter", "badge", "attention_misalignment", "score_per_second"]
)
def test_parts_scored_elsewhere_are_the_whole(trained, name: str, monkeypatch) -> None:
    monkeypatch.setattr(scoring_elsewhere, "PART", 7)
    here = rank(trained, name, 10, seed=3)
    told: list[int] = []
    with ThreadPoolExecutor(2) as threads:
        there = rank(
            trained, name, 10, seed=3, executor=threads, progress=lambda phase, done, total: told.append(done)
        )
    assert [(each.pair, each.slice) for each in there.entries] == [
        (each.pair, each.slice) for each in here.entries
    ]
    assert [each.score for each in there.entries] == pytest.approx([each.score for each in here.entries])
    assert told[0] == 0 and len(set(told)) > 3


@pytest.mark.parametrize(
    "name",
    [name for name, one in STRATEGIES.items() if Needs.MODEL in one.needs and Needs.LABELS not in one.needs]
    + ["attention_misalignment:variant=fitted"],
)
def test_every_strategy_that_asks_a_network_can_ask_it_elsewhere(trained, name: str) -> None:
    with ThreadPoolExecutor(1) as thread:
        assert len(rank(trained, name, 3, executor=thread).entries) == 3


def test_another_pool_is_opened_anew_and_one_that_is_not_seen_there_is_refused(prepared_once, tmp_path):
    shutil.copytree(prepared_once, tmp_path / "project")
    with Project.open(tmp_path / "project") as project:
        both = []
        for keep in (True, False):
            pool = Pool.open(project)
            both.append(scoring_elsewhere._pool(project.folder, scoring_elsewhere._digest(pool)))
            if keep:
                project.overrule("p0", Verdict.FAILED)
        assert [set(each.pairs) for each in both] == [{"p0", "p1", "p2"}, {"p1", "p2"}]
        with pytest.raises(NotReady, match="other prepared pairs"):
            scoring_elsewhere._pool(project.folder, scoring_elsewhere._digest(both[0]))
