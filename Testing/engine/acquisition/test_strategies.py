import pytest

from longitudinal_al.acquisition.strategies import STRATEGIES, Needs, ScoreSource, strategies_table, strategy
from longitudinal_al.errors import UnknownName

PROMISED = {
    "random",
    "entropy",
    "difference_entropy",
    "least_confidence",
    "margin",
    "dropout_entropy",
    "bald",
    "kcenter",
    "cluster_margin",
    "hybrid",
    "strided",
    "difference",
}


def test_all_promised_strategies_are_there_under_their_names():
    assert set(STRATEGIES) == PROMISED
    assert all(strategy(name).name == name for name in PROMISED)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownName, match=r"'entrpy'.*bald.*random"):
        strategy("entrpy")


def test_what_a_strategy_needs_is_what_its_parts_use():
    for one in STRATEGIES.values():
        assert callable(one.score) == (Needs.MODEL in one.needs and one.name != "kcenter")
    of_features = {name for name, one in STRATEGIES.items() if Needs.FEATURES in one.needs}
    assert of_features == {"kcenter", "cluster_margin", "hybrid"}
    assert STRATEGIES["difference"].score is ScoreSource.DIFFERENCE
    assert STRATEGIES["random"].needs is Needs.NOTHING


def test_no_strategy_looks_at_references():
    assert not any(Needs.LABELS in one.needs for one in STRATEGIES.values())


def test_the_table_has_a_row_for_each_strategy_in_words():
    table = {row["name"]: row for row in strategies_table()}
    assert set(table) == PROMISED
    assert table["difference_entropy"]["needs"] == "model, difference"
    assert table["random"]["needs"] == "nothing"
    assert all(set(row) == {"name", "summary", "needs", "paper"} for row in table.values())
    assert all(row["summary"] for row in table.values())
