"""The order of the tests' files, which processes share among themselves."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files of few tests first: these take longest, and none of them is to be left for the end."""
    counts = Counter(item.path for item in items)
    items.sort(key=lambda item: counts[item.path])
