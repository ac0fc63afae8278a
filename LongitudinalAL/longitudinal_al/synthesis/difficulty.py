"""How hard a synthetic cohort is: how large its changes are, and what else differs between the visits."""

from __future__ import annotations

from dataclasses import dataclass

from longitudinal_al.errors import UnknownName


@dataclass(frozen=True)
class Difficulty:
    """What is drawn for each patient of a cohort.

    Attributes
    ----------
    name
        Its key in ``DIFFICULTIES``.
    summary
        For people, in one line.
    changes
        Median number of lesions that change, in patients with change.
    volume
        Median volume of a new lesion in mm3.
    other_protocol
        Share of the patients whose second scan has much other contrasts.
    noise
        Factor on the noise of both scans.
    artefacts
        Whether flow, field errors and ghosts differ between the visits.
    atrophy
        Range in mm by which the ventricles' walls move outwards.
    drift
        Factor on the local shifts between the visits that no rigid registration undoes; 1 is 0.22 mm
        (standard deviation along each axis).
    """

    name: str
    summary: str
    changes: float = 22.0
    volume: float = 100.0
    other_protocol: float = 0.5
    noise: float = 1.0
    artefacts: bool = True
    atrophy: tuple[float, float] = (0.2, 0.8)
    drift: float = 1.0


TYPICAL = Difficulty("typical", "changes and artefacts as in real scans, another protocol in one of two")
_ALL = [
    Difficulty(
        "clear",
        "large changes, clean scans, one protocol",
        volume=300.0,
        other_protocol=0.0,
        noise=0.7,
        artefacts=False,
        atrophy=(0.0, 0.3),
        drift=0.5,
    ),
    TYPICAL,
    Difficulty(
        "hard",
        "few and small changes, another protocol in all, and registration that cannot be perfect",
        changes=14.0,
        volume=60.0,
        other_protocol=1.0,
        noise=1.3,
        atrophy=(0.6, 1.4),
        drift=3.0,
    ),
]
DIFFICULTIES: dict[str, Difficulty] = {one.name: one for one in _ALL}


def difficulty(name: str) -> Difficulty:
    """Return the difficulty of that name.

    Raises
    ------
    UnknownName
        There is none; the message lists the known ones.
    """
    if name not in DIFFICULTIES:
        raise UnknownName("difficulty", name, DIFFICULTIES)
    return DIFFICULTIES[name]
