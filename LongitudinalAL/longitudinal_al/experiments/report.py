"""The report of an experiment: one self-contained page, and the results as JSON beside it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined

from longitudinal_al import __version__
from longitudinal_al.experiments.curves import (
    AXES,
    MARGIN,
    MEASURES,
    Results,
    full_labelling,
    learning_curves,
    mean_defined,
    measured_patients,
    time_model,
)
from longitudinal_al.experiments.percent import NOTHING, percent
from longitudinal_al.experiments.plots import MOST_BANDS, learning_curves_figure, png, strip_figure
from longitudinal_al.experiments.standings import summarise, win_matrix
from longitudinal_al.experiments.strips import AskedSlice
from longitudinal_al.experiments.summary import caveats, summary_sentences
from longitudinal_al.project.files import write_json, write_text

TITLE = "Which slice pairs are worth labelling?"
MEANINGS = {
    "dice": "overlap of predicted and true change, voxel by voxel.",
    "lesion_f1": "lesions found and lesions that are true, by the rule of MSSEG-2.",
}


def write_report(results: Results, strips: Mapping[str, Sequence[AskedSlice]], out: Path) -> Path:
    """
    Write `report.html` and `results.json` into a folder.

    The page holds its pictures and asks for nothing from a network.

    Parameters
    ----------
    results : mapping
        The JSON of `simulate`; `settings`, a mapping of names to values, is shown when it is there.
    strips : mapping of str to sequence of AskedSlice
        The first slice pairs that each strategy asked for; may be empty.
    out : Path
        Folder; made when it is missing.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InvalidInput
        If there are no results.
    StorageFailed
        If the folder cannot be written.
    """
    page = render(results, strips)
    write_json(out / "results.json", results)
    target = out / "report.html"
    write_text(target, page)
    return target


def render(results: Results, strips: Mapping[str, Sequence[AskedSlice]]) -> str:
    """Return the page as HTML; names that come from the data are escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters.update(
        three=_three, signed=_signed, share=_share, seconds=_seconds, share_of_wins=_share_of_wins
    )
    source = files("longitudinal_al.experiments").joinpath("report.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        title=TITLE,
        extent=_extent(results),
        sentences=summary_sentences(results),
        curves=list(_curves(results)),
        tables=list(_tables(results)),
        margin=MARGIN,
        wins=_wins(results),
        strips=list(_strips(strips)),
        times=_times(results),
        caveats=[caveat[0].upper() + caveat[1:] for caveat in caveats(results)],
        settings=list(_flat(results.get("settings") or {})),
        version=__version__,
    )


def _extent(results: Results) -> str:
    entries = results["results"]
    strategies = len({entry["strategy"] for entry in entries})
    seeds = len({entry["seed"] for entry in entries})
    patients = len(measured_patients(results))
    parts = [
        f"{strategies} {'strategy' if strategies == 1 else 'strategies'}",
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}",
        f"a pool of {results['pool_slice_pairs']:,} slice pairs",
    ]
    if patients:
        parts.append(f"{patients} test {'patient' if patients == 1 else 'patients'}")
    return "Simulated annotation: " + ", ".join(parts) + "."


def _curves(results: Results) -> Iterator[dict[str, str]]:
    few = len({entry["strategy"] for entry in results["results"]}) <= MOST_BANDS
    axes = AXES if time_model(results) else {"fraction": AXES["fraction"]}
    for against, measure in product(axes, MEASURES):
        figure = learning_curves_figure(results, measure, against=against)
        if figure is not None:
            yield {
                "name": MEASURES[measure],
                "against": AXES[against].lower(),
                "meaning": MEANINGS[measure],
                "picture": _base64(png(figure)),
                "bands": "" if few else ", for the best and random only (the table has them all)",
            }


def _tables(results: Results) -> Iterator[dict[str, Any]]:
    for measure, name in MEASURES.items():
        rows = summarise(results, measure)
        full = full_labelling(results, measure)
        if rows:
            yield {
                "name": name,
                "rows": rows,
                "full": None if full is None else float(mean_defined(full)),
                "threshold": (results.get("difference_threshold") or {}).get(measure),
            }


def _wins(results: Results) -> dict[str, Any]:
    names, shares = win_matrix(results)
    return {
        "names": names,
        "shares": [[None if np.isnan(share) else float(share) for share in row] for row in shares],
    }


def _strips(strips: Mapping[str, Sequence[AskedSlice]]) -> Iterator[dict[str, Any]]:
    for strategy, asked in strips.items():
        if asked:
            figure = strip_figure(asked)
            width = round(96 * figure.get_size_inches()[0])
            yield {"strategy": strategy, "picture": _base64(png(figure, 130)), "width": width}


def _times(results: Results) -> list[dict[str, Any]]:
    rows = []
    for curve in learning_curves(results, "dice"):
        entries = [entry for entry in results["results"] if entry["strategy"] == curve.strategy]
        rows.append(
            {
                "strategy": curve.strategy,
                "rounds": len(curve.fractions),
                "labelled": f"{curve.labelled[-1]:.0f} ({100 * curve.fractions[-1]:.1f} %)",
                "train": np.mean([entry["train_seconds"] for entry in entries]),
                "score": np.mean([entry["score_seconds"] for entry in entries]),
            }
        )
    return rows


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the settings as lines, those of a part after its name."""
    for name, value in settings.items():
        label = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{label}: ")
        else:
            yield label, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _three(value: float) -> str:
    return f"{value:.3f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _share(fraction: float | None) -> str:
    return percent(fraction).replace(" ", "\N{NO-BREAK SPACE}")


def _share_of_wins(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.0f}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 100 else f"{seconds:.0f}"
