"""Rows of the tables, as the sections take them."""

from __future__ import annotations

from typing import NamedTuple


class PairRow(NamedTuple):
    """A pair as it is listed; what is not known is empty.

    Attributes
    ----------
    id, patient : str
    state : str
        `added`, `prepared` or `failed`.
    verdict : str
        Of the registration: `good`, `look` or `failed`; empty before it was prepared.
    reason : str
        Why, in words.
    slicePairs, labelled : int
        How many it has, and how many of them have a label.
    """

    id: str
    patient: str
    state: str
    verdict: str = ""
    reason: str = ""
    slicePairs: int = 0
    labelled: int = 0


class ChangeRow(NamedTuple):
    """A change that was predicted, as it is listed.

    Attributes
    ----------
    pair : str
    name : str
        Name of its class.
    volume : float
        In mm³.
    centre : tuple of float
        Its place in mm: right, anterior, superior.
    diameter : float
        The largest, in mm.
    decision : str
        `accepted`, `corrected`, `rejected`; empty while it is open.
    """

    pair: str
    name: str
    volume: float
    centre: tuple[float, float, float]
    diameter: float
    decision: str = ""
