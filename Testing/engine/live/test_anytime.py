"""The anytime ranking by itself: how soon a new model has a ranking of its own, and what that rests on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.live import anytime
from longitudinal_al.live.anytime import AnytimeRanking, Tier, fewer
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


def test_a_new_model_looks_first_at_what_was_chosen_and_at_what_each_number_says(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("longitudinal_al.acquisition.selectors.recipe.FEW_PATIENTS", 2)  # so few are here
    ranking = ranking_of(pool, "recipe", 8)
    ranking.take_model(network(1))
    while ranking.waiting:
        ranking.score_chunk(32, lambda: None)
    chosen = ranking.arrange().rows[:6]
    assert set(chosen) - set(np.argsort(-ranking.score)[:6])  # by sure change, not by doubt
    ranking.take_model(network(2))
    head = set(ranking._queue[:HEAD].tolist())
    assert set(chosen) <= head
    open_rows = np.flatnonzero(~ranking.labelled)
    for number in (ranking.score, ranking._also["sure_change"]):
        assert open_rows[np.argmax(number[open_rows])] in head
    assert len(set(ranking._queue.tolist())) == len(pool) - 8


def test_of_too_many_the_best_are_taken_and_some_from_everywhere() -> None:
    score = np.random.default_rng(0).permutation(1000.0 + np.arange(1000.0))
    score[:3] = np.nan, -np.inf, np.nan
    places = fewer([score], 100, np.random.default_rng(1))
    assert len(set(places.tolist())) == 100
    assert set(np.argsort(-np.nan_to_num(score, nan=-np.inf))[:50]) <= set(places.tolist())
    both = fewer([score, -score], 100, np.random.default_rng(1))
    assert {*np.argsort(score)[:25], *np.argsort(-np.nan_to_num(score, nan=-np.inf))[:25]} <= set(
        both.tolist()
    )
    drawn = [np.flatnonzero(np.sort(fewer([np.zeros(1000)], 100, np.random.default_rng(2))) >= 500).size]
    assert 30 < drawn[0] < 70


@pytest.mark.parametrize("name", ["random", "kcenter", "badge", "recipe"])
def test_in_a_large_pool_slice_pairs_from_everywhere_can_be_chosen(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(anytime, "SELECT_FROM", 20)
    seen: list[np.ndarray] = []

    def look(candidates, batch, neighbours, generator, interrupt):
        seen.append(np.flatnonzero([(p, s) in among(candidates) for p, s in pool.index]))
        return list(range(batch))

    def among(candidates) -> set[tuple[str, int]]:
        return set(zip(candidates.pair.tolist(), candidates.slice.tolist(), strict=True))

    ranking = ranking_of(pool, name, 0)
    ranking.wanted = replace(STRATEGIES[name], selector=look)
    ranking.take_model(network(1))
    while ranking.waiting:
        ranking.score_chunk(32, lambda: None)
    ranking.arrange()
    assert len(seen[-1]) == 20
    if name == "recipe":
        for number in (ranking.usable_score(), ranking._also["sure_change"]):
            assert set(np.argsort(-number)[:5]) <= set(seen[-1].tolist())
    else:
        assert seen[-1].max() >= len(pool) // 2
