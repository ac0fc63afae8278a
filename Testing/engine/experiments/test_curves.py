"""Learning curves read from results: shapes, undefined cells, areas and label efficiency with known
answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from longitudinal_al.errors import InvalidInput, UnknownName
from longitudinal_al.experiments.curves import (
    Curve,
    area_under,
    common_range,
    full_labelling,
    learning_curves,
    measured_patients,
    smallest_fraction,
    time_model,
)


def curve(fractions: list[float], values: list[float]) -> Curve:
    """One seed, one patient."""
    return Curve(
        "s", "dice", (0,), np.array(fractions) * 100, np.array(fractions), np.array(values)[None, :, None]
    )


def test_a_curve_has_a_value_for_each_seed_round_and_patient(made_up_results: dict[str, Any]) -> None:
    curves = learning_curves(made_up_results, "dice")
    assert [one.strategy for one in curves] == ["random", "difference", "entropy", "hybrid"]
    first = curves[0]
    assert first.values.shape == (5, 6, 6)
    assert first.seeds == (0, 1, 2, 3, 4)
    assert first.labelled.tolist() == [7, 14, 21, 28, 35, 42]
    assert first.fractions == pytest.approx(first.labelled / 500)
    entry = next(
        one
        for one in made_up_results["results"]
        if (one["strategy"], one["seed"], one["round"]) == ("random", 3, 2)
    )
    assert first.values[3, 1].mean() == pytest.approx(entry["dice"])


def test_without_figures_a_patient_the_means_are_used(make_results: Any) -> None:
    results = make_results({"random": 20.0}, seeds=2, rounds=3)
    for entry in results["results"]:
        del entry["per_patient"]
    (only,) = learning_curves(results, "dice")
    assert measured_patients(results) == []
    assert only.values.shape == (2, 3, 1)
    assert only.values[1, 2, 0] == results["results"][-1]["dice"]
    assert full_labelling(results, "dice") == pytest.approx([0.78])


def test_patients_without_change_are_left_out_of_the_mean(make_results: Any) -> None:
    results = make_results({"random": 20.0}, seeds=1, rounds=1, patients=2)
    figures = results["results"][0]["per_patient"]
    figures["P02"]["dice"] = None
    (only,) = learning_curves(results, "dice")
    assert np.isnan(only.values[0, 0]).tolist() == [False, True]
    assert only.mean == pytest.approx([figures["P01"]["dice"]])


def test_a_seed_that_is_not_finished_shortens_the_curve_for_all(make_results: Any) -> None:
    results = make_results({"random": 20.0}, seeds=2, rounds=4)
    results["results"] = [one for one in results["results"] if (one["seed"], one["round"]) != (1, 4)]
    (only,) = learning_curves(results, "dice")
    assert only.values.shape[:2] == (2, 3)


def timed(results: dict[str, Any]) -> dict[str, Any]:
    for entry in results["results"]:
        entry["seconds"] = 100.0 * entry["labelled"] * (2 if entry["strategy"] == "entropy" else 1)
        entry["time_model"] = "made up"
    return results


def test_curves_can_be_drawn_against_the_hours_of_annotation(made_up_results: dict[str, Any]) -> None:
    results = timed(made_up_results)
    by_share, by_hours = (learning_curves(results, "dice", against) for against in ("fraction", "hours"))
    for share, hours in zip(by_share, by_hours, strict=True):
        slow = 2 if hours.strategy == "entropy" else 1
        assert hours.fractions == pytest.approx(slow * hours.labelled / 36)
        assert np.array_equal(hours.values, share.values)
        assert hours.against == "hours"
    start, end = common_range(by_hours)
    assert (start, end) == pytest.approx((14 / 36, 42 / 36))
    assert time_model(results) == "made up"


def test_hours_that_were_not_simulated_and_axes_that_do_not_exist_are_said_in_words(
    made_up_results: dict[str, Any],
) -> None:
    assert time_model(made_up_results) is None
    with pytest.raises(InvalidInput, match="no times"):
        learning_curves(made_up_results, "dice", "hours")
    with pytest.raises(UnknownName, match="hours"):
        learning_curves(made_up_results, "dice", "strokes")


def test_no_results_say_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="simulate"):
        learning_curves({"pool_slice_pairs": 9, "results": []}, "dice")


def test_full_labelling_is_the_mean_over_its_seeds(make_results: Any) -> None:
    results = make_results({"random": 20.0}, patients=2, seeds=1, rounds=1)
    results["full"] = {
        "dice": 0.6,
        "lesion_f1": None,
        "per_seed": [
            {"per_patient": {"P01": {"dice": 0.5}, "P02": {"dice": 0.8}}},
            {"per_patient": {"P01": {"dice": 0.3}, "P02": {"dice": None}}},
        ],
    }
    assert full_labelling(results, "dice") == pytest.approx([0.4, 0.8])
    assert full_labelling(results, "lesion_f1") is None
    assert full_labelling({**results, "full": {"dice": 0.6}}, "dice") == pytest.approx([0.6, 0.6])


def test_area_is_the_mean_height_by_trapezoids() -> None:
    line = curve([0.0, 0.02, 0.10], [0.0, 0.4, 0.8])
    expected = (0.02 * 0.2 + 0.08 * 0.6) / 0.10
    assert area_under(line, 0.0, 0.10).item() == pytest.approx(expected)
    assert area_under(curve([0.0, 0.1], [0.5, 0.5]), 0.0, 0.1).item() == pytest.approx(0.5)


def test_area_between_rounds_is_interpolated() -> None:
    line = curve([0.0, 0.10], [0.0, 1.0])
    assert area_under(line, 0.02, 0.06).item() == pytest.approx(0.4)
    assert area_under(line, 0.05, 0.05).item() == pytest.approx(0.5)
    assert area_under(curve([0.04], [0.3]), 0.04, 0.04).item() == pytest.approx(0.3)


def test_strategies_are_compared_where_all_have_rounds() -> None:
    assert common_range([curve([0.01, 0.08], [0, 0]), curve([0.02, 0.04, 0.06], [0, 0, 0])]) == (0.02, 0.06)


@pytest.mark.parametrize(("full", "fraction"), [(0.53, 0.02), (0.5301, 0.04), (0.63, 0.04), (0.7, None)])
def test_smallest_fraction_within_the_margin(full: float, fraction: float | None) -> None:
    assert smallest_fraction(curve([0.01, 0.02, 0.04], [0.2, 0.5, 0.6]), full) == fraction


def test_exactly_the_margin_below_is_reached_whatever_the_last_digit() -> None:
    assert 0.33 - 0.03 > 0.3
    assert smallest_fraction(curve([0.01], [0.3]), 0.33) == 0.01


def test_intervals_hold_their_mean(made_up_results: dict[str, Any], generator: np.random.Generator) -> None:
    first = learning_curves(made_up_results, "dice")[0]
    for interval, mean in zip(first.intervals(generator), first.mean, strict=True):
        assert interval.mean == pytest.approx(mean)
        assert interval.low < mean < interval.high
