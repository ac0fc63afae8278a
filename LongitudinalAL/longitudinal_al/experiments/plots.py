"""Pictures of the report: learning curves, and strips of slice pairs; no display is needed."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from longitudinal_al.experiments.curves import (
    AXES,
    MARGIN,
    MEASURES,
    Curve,
    Results,
    area_under,
    common_range,
    full_labelling,
    learning_curves,
    mean_defined,
    time_model,
)
from longitudinal_al.experiments.strips import AskedSlice

# Okabe and Ito's colours, told apart by colour-blind readers; markers tell them apart in grey too.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31"]
MARKERS = "osD^vPX*"
# More bands than this hide one another; the table has every interval.
MOST_BANDS = 4
GREYS = (-3.0, 5.0)
DIFFERENCES = (-12.0, 12.0)
OUTLINE = "#E69F00"
INK = "#222222"
WIDE = 10.0
"""Ratio of the largest labelled share to the smallest, from which on their axis is logarithmic."""


def learning_curves_figure(
    results: Results,
    measure: str,
    generator: np.random.Generator | None = None,
    *,
    against: str = "fraction",
) -> Figure | None:
    """
    Draw a measure against the labelled share of the pool, or the hours that takes, a line a strategy.

    Bands are 95 % intervals over seeds and patients. Full labelling is a dashed line with its margin of 0.03
    in grey, the best threshold on the difference image a dotted one.

    Parameters
    ----------
    results : mapping
        The JSON of `simulate`.
    measure : str
        A key of `curves.MEASURES`.
    generator : numpy.random.Generator or None
        For the bands; None starts from seed 0.
    against : str
        A key of `curves.AXES`.

    Returns
    -------
    matplotlib.figure.Figure or None
        None where the measure is nowhere defined.
    """
    curves = [curve for curve in learning_curves(results, measure, against) if np.isfinite(curve.mean).any()]
    if not curves:
        return None
    generator = generator or np.random.default_rng(0)
    figure = Figure(figsize=(9.0, 4.6), layout="constrained")
    axes = figure.add_subplot()
    banded = _banded(curves)
    # The legend reads from the highest line to the lowest, as the eye does; the highest lies on top.
    order = sorted(range(len(curves)), key=lambda index: -_last(curves[index]))
    for place, index in enumerate(order):
        line = _draw_curve(axes, curves[index], index, curves[index].strategy in banded, generator)
        line.set_zorder(4 - place / len(order))
    _draw_levels(axes, results, measure)
    _dress(axes, measure)
    if against == "fraction":
        _spread_shares(axes, curves)
    _name_axis(axes, results, against)
    return figure


def strip_figure(asked: Sequence[AskedSlice]) -> Figure:
    """
    Draw slice pairs side by side: baseline, follow-up and difference below one another.

    The reference, where there is one, is outlined on the follow-up and the difference.

    Parameters
    ----------
    asked : sequence of AskedSlice
        At least one.
    """
    columns = len(asked)
    figure = Figure(figsize=(1.75 * max(columns, 4) + 0.4, 5.5), layout="constrained")
    grid = figure.subplots(3, max(columns, 4), squeeze=False)
    for axes in grid.ravel():
        axes.axis("off")
    for column, one in enumerate(asked):
        window = _window(one)
        rows = (
            (one.baseline, "gray", GREYS),
            (one.followup, "gray", GREYS),
            (one.difference, "RdBu_r", DIFFERENCES),
        )
        for row, (image, colours, limits) in enumerate(rows):
            axes = grid[row, column]
            axes.imshow(image[window], cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest")
            if row > 0 and one.reference is not None and one.reference[window].any():
                axes.contour(one.reference[window], levels=[0.5], colors=OUTLINE, linewidths=1.2)
        grid[0, column].set_title(f"{one.pair}\nslice {one.slice}", fontsize=10, color=INK)
    for row, name in enumerate(("baseline", "follow-up", "difference")):
        grid[row, 0].text(
            -0.06,
            0.5,
            name,
            rotation=90,
            ha="right",
            va="center",
            fontsize=10,
            transform=grid[row, 0].transAxes,
        )
    return figure


def png(figure: Figure, dots_per_inch: int = 150) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    stream = BytesIO()
    FigureCanvasAgg(figure).print_figure(stream, format="png", dpi=dots_per_inch, facecolor="white")
    return stream.getvalue()


def _last(curve: Curve) -> float:
    return float(np.nan_to_num(curve.mean[-1], nan=-1.0))


def _banded(curves: Sequence[Curve]) -> set[str]:
    """Return the strategies whose interval is drawn: all of a few, else random and the best by its area."""
    names = {curve.strategy for curve in curves}
    if len(names) <= MOST_BANDS:
        return names
    covered = common_range(list(curves))
    areas = [float(mean_defined(area_under(curve, *covered).ravel())) for curve in curves]
    return {curves[int(np.argmax(np.nan_to_num(areas, nan=-1.0)))].strategy, "random"} & names


def _draw_curve(
    axes: Axes, curve: Curve, index: int, with_band: bool, generator: np.random.Generator
) -> Line2D:
    colour = COLOURS[index % len(COLOURS)]
    (line,) = axes.plot(
        curve.fractions,
        curve.mean,
        color=colour,
        marker=MARKERS[index % len(MARKERS)],
        markersize=5,
        linewidth=1.9,
        linestyle="-" if index < len(COLOURS) else "--",
        label=curve.strategy,
    )
    if with_band:
        intervals = curve.intervals(generator)
        low, high = (
            np.array([np.nan if one is None else getattr(one, end) for one in intervals])
            for end in ("low", "high")
        )
        axes.fill_between(curve.fractions, low, high, color=colour, alpha=0.15, linewidth=0, zorder=1)
    return line


def _draw_levels(axes: Axes, results: Results, measure: str) -> None:
    full = full_labelling(results, measure)
    if full is not None:
        level = float(mean_defined(full))
        axes.axhline(
            level, color=INK, linestyle="--", linewidth=1.4, label=f"full labelling, {level:.2f}", zorder=2
        )
        axes.axhspan(
            level - MARGIN, level, color="#BBBBBB", alpha=0.35, linewidth=0, label=f"within {MARGIN} of it"
        )
    threshold = (results.get("difference_threshold") or {}).get(measure)
    if threshold is not None:
        label = f"threshold on the\ndifference, {threshold:.2f}"
        axes.axhline(threshold, color="#666666", linestyle=":", linewidth=1.8, label=label, zorder=2)


def _dress(axes: Axes, measure: str) -> None:
    axes.set_ylabel(f"{MEASURES[measure]}, test patients", fontsize=11, color=INK)
    low, high = axes.get_ylim()
    axes.set_ylim(max(0.0, float(np.floor(10 * low)) / 10), min(1.02, max(high, 0.1)))
    axes.set_xlim(left=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 5, 10]))
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=10, colors=INK)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=10, labelspacing=0.7)


def _name_axis(axes: Axes, results: Results, against: str) -> None:
    name = AXES[against]
    if against == "fraction":
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.2g} %"))
    else:
        name = f"{name}, simulated (time model: {time_model(results)})"
    axes.set_xlabel(name, fontsize=11, color=INK)


def _spread_shares(axes: Axes, curves: Sequence[Curve]) -> None:
    """Give each round its own room where the first ones would lie on one another."""
    shares = max((curve.fractions for curve in curves), key=len)
    if shares[-1] < WIDE * shares[0]:
        return
    axes.set_xscale("log")
    axes.set_xlim(0.9 * shares[0], 1.1 * shares[-1])
    axes.xaxis.set_major_locator(FixedLocator(shares.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())


def _window(one: AskedSlice) -> tuple[slice, slice]:
    """Return the square around the difference, or else the scans, so that the brain fills the thumbnail."""
    content = one.difference != 0 if one.difference.any() else (one.baseline != 0) | (one.followup != 0)
    if not content.any():
        return slice(None), slice(None)
    found = np.argwhere(content)
    low, high = found.min(axis=0), found.max(axis=0) + 1
    half = int((high - low).max() * 0.56) + 2
    rows, columns = (
        slice(max(0, int(middle) - half), min(length, int(middle) + half))
        for middle, length in zip((low + high) // 2, content.shape, strict=True)
    )
    return rows, columns
