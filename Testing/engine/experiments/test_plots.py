"""What is drawn is what is in the results: lines, bands, levels and thumbnails."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from longitudinal_al.experiments.curves import learning_curves
from longitudinal_al.experiments.plots import COLOURS, learning_curves_figure, png, strip_figure
from longitudinal_al.experiments.strips import AskedSlice


def labels(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_each_strategy_is_a_line_and_the_legend_reads_from_the_top(made_up_results: dict[str, Any]) -> None:
    figure = learning_curves_figure(made_up_results, "dice")
    assert labels(figure)[:4] == ["difference", "hybrid", "entropy", "random"]
    drawn = {line.get_label(): line for line in figure.axes[0].lines}
    for curve in learning_curves(made_up_results, "dice"):
        assert drawn[curve.strategy].get_xdata() == pytest.approx(curve.fractions)
        assert drawn[curve.strategy].get_ydata() == pytest.approx(curve.mean)
    assert len({line.get_color() for line in figure.axes[0].lines[:4]}) == 4


def test_the_highest_line_lies_on_top_and_no_room_is_left_under_the_lowest(
    made_up_results: dict[str, Any],
) -> None:
    axes = learning_curves_figure(made_up_results, "dice").axes[0]
    ends = {line.get_ydata()[-1]: line.get_zorder() for line in axes.lines[:4]}
    assert sorted(ends, key=ends.__getitem__) == sorted(ends)
    lowest = min(np.min(line.get_ydata()) for line in axes.lines)
    assert max(0.0, lowest - 0.2) <= axes.get_ylim()[0] <= lowest


@pytest.mark.parametrize(("rounds", "scale"), [(3, "linear"), (12, "log")])
def test_shares_that_lie_far_apart_are_spread(make_results: Any, rounds: int, scale: str) -> None:
    axes = learning_curves_figure(make_results({"random": 20.0}, rounds=rounds), "dice").axes[0]
    axes.figure.draw_without_rendering()
    assert axes.get_xscale() == scale
    names = [text.get_text() for text in axes.get_xticklabels()]
    assert all(re.fullmatch(r"[\d.]+ %", name) for name in names), names
    assert len(names) >= 3


def test_hours_of_annotation_name_their_model(made_up_results: dict[str, Any]) -> None:
    for entry in made_up_results["results"]:
        entry |= {"seconds": 90.0 * entry["labelled"], "time_model": "made up"}
    figure = learning_curves_figure(made_up_results, "dice", against="hours")
    assert figure.axes[0].get_xlabel() == "Hours of annotation, simulated (time model: made up)"
    assert figure.axes[0].lines[0].get_xdata()[-1] == pytest.approx(42 / 40)
    figure = learning_curves_figure(made_up_results, "dice")
    assert figure.axes[0].get_xlabel() == "Share of the pool labelled"


def test_full_labelling_is_dashed_and_the_threshold_dotted(made_up_results: dict[str, Any]) -> None:
    figure = learning_curves_figure(made_up_results, "dice")
    levels = {line.get_linestyle(): line.get_ydata()[0] for line in figure.axes[0].lines[4:]}
    assert levels == {"--": pytest.approx(0.78), ":": pytest.approx(0.31)}
    assert "full labelling, 0.78" in labels(figure)
    assert not any(
        "threshold" in label for label in labels(learning_curves_figure(made_up_results, "lesion_f1"))
    )


def test_bands_enclose_the_lines_and_many_strategies_show_two(make_results: Any) -> None:
    few = learning_curves_figure(make_results({"random": 20.0, "entropy": 9.0}), "dice")
    bands = [band for band in few.axes[0].collections if isinstance(band, PolyCollection)]
    assert len(bands) == 2
    heights = bands[0].get_paths()[0].vertices[:, 1]
    line = few.axes[0].lines[0].get_ydata()
    assert heights.min() < line.min()
    assert heights.max() > line.max()
    names = {f"s{k}": 10.0 + k for k in range(9)} | {"random": 30.0}
    many = learning_curves_figure(make_results(names, seeds=2, rounds=2), "dice")
    banded = [band for band in many.axes[0].collections if isinstance(band, PolyCollection)]
    colours = {line.get_label(): to_rgb(line.get_color()) for line in many.axes[0].lines}
    assert {tuple(band.get_facecolor()[0][:3]) for band in banded} == {colours["s0"], colours["random"]}
    assert len(labels(many)) == 13


def test_the_band_is_that_of_the_largest_area_not_of_the_last_point(make_results: Any) -> None:
    results = make_results({f"s{k}": 10.0 + k for k in range(9)}, seeds=2, rounds=3)
    for entry in results["results"]:
        if entry["strategy"] == "s8" and entry["round"] == 3:
            entry["per_patient"] = {name: {"dice": 0.9} for name in entry["per_patient"]}
    (band,) = (
        one
        for one in learning_curves_figure(results, "dice").axes[0].collections
        if isinstance(one, PolyCollection)
    )
    assert tuple(band.get_facecolor()[0][:3]) == to_rgb(COLOURS[0])


def test_a_measure_that_is_not_defined_is_not_drawn(make_results: Any) -> None:
    results = make_results({"random": 20.0}, seeds=1)
    for entry in results["results"]:
        for figures in entry["per_patient"].values():
            figures["lesion_f1"] = None
    assert learning_curves_figure(results, "lesion_f1") is None


def test_one_round_without_full_labelling_still_draws(make_results: Any) -> None:
    results = make_results({"random": 20.0}, seeds=1, rounds=1, patients=1)
    figure = learning_curves_figure({**results, "full": {}, "difference_threshold": None}, "dice")
    assert labels(figure) == ["random"]


def test_legend_and_axes_do_not_overlap(made_up_results: dict[str, Any]) -> None:
    figure = learning_curves_figure(made_up_results, "dice")
    picture = imread(BytesIO(png(figure, 100)))
    assert picture.shape == (460, 900, 4)
    axes = figure.axes[0]
    legend = axes.get_legend().get_window_extent()
    assert legend.x0 >= axes.get_window_extent().x1
    assert legend.x1 <= figure.bbox.x1


def test_strip_has_three_thumbnails_a_slice_pair_and_outlines(
    made_up_strips: dict[str, list[AskedSlice]],
) -> None:
    figure = strip_figure(made_up_strips["random"])
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == 18
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles[:2] == ["pair-0\nslice 10", "pair-1\nslice 13"]
    # The third slice pair has no reference; the baseline never shows one.
    assert sum(bool(axes.collections) for axes in shown) == 10
    assert len(png(figure, 60)) > 10_000


def test_a_strip_of_one_empty_slice_pair_is_drawn() -> None:
    nothing = np.zeros((8, 9))
    figure = strip_figure([AskedSlice("a", 0, nothing, nothing, nothing, None)])
    assert len([axes for axes in figure.axes if axes.images]) == 3
