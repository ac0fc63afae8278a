"""Names of pairs are folder names, on every system."""

from __future__ import annotations

import pytest

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project.identifiers import check_pair_id


@pytest.mark.parametrize("name", ["01", "patient01", "a.b-c_d", "_x", "console", "com", "a" * 64])
def test_good_names(name: str) -> None:
    check_pair_id(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", "a b", "a.", ".a", "-a", "ä", "a" * 65, "con", "CON", "nul.x", "LPT1",
     "Com0", "a:b", "a\n", "a\0", "~"],
)  # fmt: skip
def test_bad_names(name: str) -> None:
    with pytest.raises(InvalidInput, match="pair"):
        check_pair_id(name)
