"""The anytime ranking by itself: how soon a new model has a ranking of its own, and what that rests on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.live import anytime
from longitudinal_al.live.anytime import AnytimeRanking, Tier
from longitudinal_al.network.architecture import Architecture, ChangeNetwork
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.scoring import score_rows

HEAD = 16


def network(seed: int) -> ChangeNetwork:
    torch.manual_seed(seed)
    return ChangeNetwork(Architecture(widths=(8, 8, 16, 16))).eval()


@pytest.fixture
def pool(small_project) -> Pool:
    return Pool.open(small_project)


def ranking_of(pool: Pool, name: str, labelled: int) -> AnytimeRanking:
    ranking = AnytimeRanking(pool, STRATEGIES[name], batch=6, spacing_mm=0.0, head=HEAD, seed=0)
    ranking.take_labels(list(pool.index)[:labelled])
    return ranking


def score_until_presentable(ranking: AnytimeRanking) -> int:
    """Score one by one; return how many it took."""
    count = 0
    while not ranking.presentable:
        ranking.score_chunk(1, lambda: None)
        count += 1
    return count


@pytest.mark.parametrize("name", ["entropy", "hybrid", "kcenter", "cluster_margin"])
@pytest.mark.parametrize("labelled", [1, 40])
def test_a_first_ranking_takes_as_long_however_much_is_labelled(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, name: str, labelled: int
) -> None:
    monkeypatch.setattr(anytime, "COMPARED_FIRST", 8)
    ranking = ranking_of(pool, name, labelled)
    for seed in (1, 2):  # also when an earlier model has looked at all of it
        ranking.take_model(network(seed))
        assert HEAD <= score_until_presentable(ranking) <= HEAD + 8
        arranged = ranking.arrange()
        assert arranged.strategy == name
        assert arranged.scored == HEAD
        assert len(arranged.rows) == len(pool) - labelled
        assert (arranged.tiers[:6] == Tier.CHOSEN).all()
        while ranking.waiting:
            ranking.score_chunk(32, lambda: None)
        assert ranking.arrange().scored == len(pool) - labelled


@pytest.mark.parametrize("name", ["kcenter", "typiclust", "probcover", "badge"])
def test_what_has_no_features_that_are_numbers_is_asked_for_last(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    broken = 7

    def without_one(*given, **further):
        found = score_rows(*given, **further)
        if found.features is not None:
            found.features[np.asarray(given[3]) == broken] = np.nan
        return found

    monkeypatch.setattr(anytime, "score_rows", without_one)
    ranking = AnytimeRanking(pool, STRATEGIES[name], batch=30, spacing_mm=0.0, head=HEAD, seed=0)
    ranking.take_labels([])
    ranking.take_model(network(1))
    while ranking.waiting:
        ranking.score_chunk(32, lambda: None)
    assert broken not in ranking.arrange().rows[:30]


def test_features_of_two_models_are_never_compared(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anytime, "COMPARED_FIRST", 8)
    seen: list[np.ndarray] = []

    def look(candidates, batch, neighbours, generator, interrupt):
        seen.append(candidates.labelled.features)
        return list(range(batch))

    ranking = ranking_of(pool, "kcenter", 40)
    ranking.wanted = STRATEGIES["kcenter"].__class__(**{**vars(STRATEGIES["kcenter"]), "selector": look})
    ranking.take_model(network(1))
    while ranking.waiting:
        ranking.score_chunk(32, lambda: None)
    ranking.arrange()
    assert np.isfinite(seen[-1]).all()
    ranking.take_model(network(2))
    score_until_presentable(ranking)
    ranking.arrange()
    known = np.isfinite(seen[-1]).all(axis=1)
    assert 5 <= known.sum() <= 8
    assert np.isnan(seen[-1][~known]).all()
