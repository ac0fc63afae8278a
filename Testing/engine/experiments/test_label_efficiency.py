"""Where made-up learning curves come up to full labelling; the shares are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from longitudinal_al.experiments.label_efficiency import reaches


def by_name(results: dict[str, Any]) -> dict[str, Any]:
    return {one.strategy: one for one in reaches(results, resamples=400)}


def test_the_smallest_share_by_both_measures(made_up_results: dict[str, Any]) -> None:
    found = by_name(made_up_results)
    # Dice comes up at 28 labels; F1 = 0.9 Dice has to reach 0.74 - 0.03, which is Dice 0.789: at 42 labels.
    assert found["difference"].fraction == pytest.approx(42 / 500)
    assert found["random"].fraction is None
    assert found["random"].low is None and found["random"].sure is None


def test_dice_alone_is_not_enough(made_up_results: dict[str, Any]) -> None:
    for entry in made_up_results["results"]:
        for figures in entry["per_patient"].values():
            figures["lesion_f1"] = 0.1
    assert all(one.fraction is None for one in by_name(made_up_results).values())


def test_the_interval_holds_the_share_and_sure_is_never_earlier(make_results: Any) -> None:
    results = make_results({"random": 30.0, "difference": 6.0}, rounds=8)
    for entry in results["results"]:
        for figures in entry["per_patient"].values():
            figures["lesion_f1"] += 0.2
    one = by_name(results)["difference"]
    assert one.low is not None and one.high is not None and one.fraction is not None
    assert one.low <= one.fraction <= one.high
    assert one.sure is None or one.sure >= one.fraction


def test_a_spread_between_patients_keeps_it_unsure(make_results: Any) -> None:
    results = make_results({"random": 30.0, "difference": 6.0}, rounds=8)
    generator = np.random.default_rng(3)
    lift = {name: generator.normal(0, 0.3) for name in results["results"][0]["per_patient"]}
    mean = np.mean(list(lift.values()))
    for entry in results["results"]:
        for name, figures in entry["per_patient"].items():
            figures["dice"] += lift[name] - mean
            figures["lesion_f1"] += 0.2
    one = by_name(results)["difference"]
    assert one.fraction is not None
    assert one.sure is None


def test_seeds_that_differ_leave_the_patients_sure(make_results: Any) -> None:
    results = make_results({"random": 30.0, "difference": 6.0}, rounds=8)
    for entry in results["results"]:
        for figures in entry["per_patient"].values():
            figures["lesion_f1"] += 0.2 + 0.2 * (entry["seed"] - 2)
    one = by_name(results)["difference"]
    assert one.sure is None
    assert one.sure_of_patients is not None and one.sure_of_patients >= one.fraction


def test_without_full_labelling_there_is_nothing_to_reach(made_up_results: dict[str, Any]) -> None:
    assert reaches({**made_up_results, "full": {}}) == []
