"""The report page: self-contained, complete, escaped, and the results beside it."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from longitudinal_al.errors import InvalidInput
from longitudinal_al.experiments.report import render, write_report
from longitudinal_al.experiments.strips import AskedSlice
from longitudinal_al.experiments.summary import summary_sentences

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Collects text and links of a page, and checks that its elements nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_page_and_results_are_written(
    made_up_results: dict[str, Any], made_up_strips: dict[str, list[AskedSlice]], tmp_path: Path
) -> None:
    folder = tmp_path / "año 1" / "out"
    target = write_report(made_up_results, made_up_strips, folder)
    assert target == folder / "report.html"
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == made_up_results
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "results.json"]
    page = Page(target.read_text(encoding="utf-8"))
    assert page.open == []
    for sentence in summary_sentences(made_up_results):
        assert sentence in page.text


def test_pictures_are_inside_and_nothing_is_fetched(
    made_up_results: dict[str, Any], made_up_strips: dict[str, list[AskedSlice]]
) -> None:
    html = render(made_up_results, made_up_strips)
    addresses = Page(html).addresses
    assert len(addresses) == 2 + 4
    for address in addresses:
        kind, data = address.split(",", 1)
        assert kind == "data:image/png;base64"
        assert b64decode(data).startswith(b"\x89PNG")
    assert not re.search(r"https?://|@import|<script|<link", html)


def test_tables_show_every_strategy_and_both_levels(made_up_results: dict[str, Any]) -> None:
    text = Page(render(made_up_results, {})).text
    for part in ("Lesion Dice", "Lesion F1", "Who beats whom", "Time", "Read with care"):
        assert part in text
    for strategy in ("random", "difference", "entropy", "hybrid"):
        assert text.count(strategy) >= 4
    assert "full labelling 0.780" in text
    assert "threshold on the difference 0.310" in text
    assert "42 (8.4 %)" in text
    assert "What each strategy asked for first" not in text


def test_names_from_the_data_are_escaped(make_results: Any) -> None:
    results = make_results({"<b>bold</b>": 9.0, "random": 20.0}, seeds=1, rounds=2)
    results["settings"] = {"cold_start": "<script>alert(1)</script>", "training": {"steps": [1, 2]}}
    html = render(results, {})
    assert "<b>bold" not in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    text = Page(html).text
    assert "training: steps 1, 2" in text
    assert "cold start" in text


@pytest.mark.parametrize("missing", ["full", "difference_threshold"])
def test_what_was_not_run_is_left_out(made_up_results: dict[str, Any], missing: str) -> None:
    del made_up_results[missing]
    text = Page(render(made_up_results, {})).text
    assert ("full labelling 0.780" in text) == (missing != "full")
    assert ("threshold on the difference 0.310" in text) == (missing != "difference_threshold")


def test_the_smallest_experiment_has_a_report(make_results: Any, tmp_path: Path) -> None:
    results = make_results({"random": 20.0}, seeds=1, rounds=1, patients=1)
    text = Page(write_report(results, {}, tmp_path).read_text(encoding="utf-8")).text
    assert "1 strategy, 1 seed" in text
    assert "Who beats whom" not in text


def test_an_experiment_without_results_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no results"):
        write_report({"pool_slice_pairs": 5, "results": []}, {}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_written_again_the_page_is_the_same(made_up_results: dict[str, Any]) -> None:
    assert render(made_up_results, {}) == render(made_up_results, {})


def test_curves_against_hours_are_there_where_times_are(
    made_up_results: dict[str, Any], made_up_strips: dict[str, list[AskedSlice]]
) -> None:
    assert "against the hours of annotation" not in render(made_up_results, made_up_strips)
    for entry in made_up_results["results"]:
        entry |= {"seconds": 90.0 * entry["labelled"], "time_model": "made up"}
    page = render(made_up_results, made_up_strips)
    assert page.count("against the hours of annotation") == 2
    assert page.count("against the share of the pool labelled") == 2
