import re

import pytest

from longitudinal_al.acquisition.strategies import (
    STRATEGIES,
    Needs,
    ScoreSource,
    cold_start_of,
    strategies_table,
    strategy,
)
from longitudinal_al.errors import UnknownName

PROMISED = {
    *(
        "vote_entropy",
        "ensemble_variance",
        "augmentation_variance",
        "learning_loss",
        "typiclust",
        "probcover",
    ),
    *("information_density", "badge", "stochastic_batches", "power_bald", "clasp_pe"),
    *("representative_to_uncertain", "facility_location", "max_cover", "foreground_random"),
    *("selective_uncertainty", "score_per_second", "mdal_max", "mdal_diverse", "attention_misalignment"),
    "recipe",
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
    without_score = {"kcenter", "typiclust", "probcover", "badge"}
    for one in STRATEGIES.values():
        assert callable(one.score) == (Needs.MODEL in one.needs and one.name not in without_score)
        assert (one.score is ScoreSource.CONTRAST) <= (Needs.CONTRAST in one.needs)
        assert (one.score is ScoreSource.REFERENCE) <= (Needs.LABELS in one.needs)
    of_features = {name for name, one in STRATEGIES.items() if Needs.FEATURES in one.needs}
    assert of_features == {
        *("kcenter", "cluster_margin", "hybrid", "typiclust", "probcover", "information_density"),
        *("representative_to_uncertain", "facility_location", "max_cover"),
    }
    assert STRATEGIES["difference"].score is ScoreSource.DIFFERENCE
    assert STRATEGIES["random"].needs is Needs.NOTHING


def test_only_the_reference_arm_and_the_oracle_look_at_references():
    assert [name for name, one in STRATEGIES.items() if Needs.LABELS in one.needs] == ["foreground_random"]
    oracle = strategy("attention_misalignment:variant=oracle")
    assert Needs.LABELS in oracle.needs
    assert Needs.DIFFERENCE not in oracle.needs


def test_settings_change_what_is_needed():
    assert strategy("typiclust").needs == Needs.MODEL | Needs.FEATURES
    assert strategy("typiclust:features=contrast").needs == Needs.CONTRAST
    fitted = strategy("attention_misalignment:variant=fitted,weight=0.5")
    assert fitted.needs == Needs.MODEL | Needs.ATTENTION | Needs.FITTED_MISALIGNMENT
    assert fitted.settings == {"weight": 0.5, "variant": "fitted"}


def test_the_recipe_brings_its_own_first_batch_whatever_its_settings():
    for text in ("recipe", "recipe:spacing=off,changes=off,members=2"):
        assert cold_start_of(strategy(text)).text == "difference"
    assert cold_start_of(STRATEGIES["entropy"]) is None


def test_every_strategy_says_where_it_belongs_what_it_costs_and_where_it_comes_from():
    for one in STRATEGIES.values():
        assert one.family
        assert one.cost
        assert one.summary
        assert one.paper


def test_the_table_has_a_row_for_each_strategy_in_words():
    table = {row["name"]: row for row in strategies_table()}
    assert set(table) == PROMISED
    assert table["difference_entropy"]["needs"] == "model, difference"
    assert table["random"]["needs"] == "nothing"
    columns = {"name", "family", "summary", "needs", "cost", "settings", "paper"}
    columns |= {"measured_cost", "efficiency", "small_efficiency"}
    assert all(set(row) == columns for row in table.values())
    assert table["foreground_random"]["needs"] == "labels (simulations only)"
    assert table["attention_misalignment"]["settings"] == "weight=0.3, variant=deployable"
    assert all(row["summary"] for row in table.values())


METHODS = {
    method.__name__: method
    for one in STRATEGIES.values()
    for part in (one.score, one.selector)
    if not isinstance(method := getattr(part, "func", part), ScoreSource)
}


@pytest.mark.parametrize("name", METHODS)
def test_every_method_says_when_to_use_it_and_what_it_costs(name):
    said = re.sub(r"\s+", " ", METHODS[name].__doc__ or "")
    assert "Use it" in said
    assert re.search(r"O\(|pass|Cost as", said)
