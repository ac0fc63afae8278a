"""The project: a folder whose one file keeps what humans made, and from which the rest is rebuilt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from types import TracebackType
from typing import Any

from longitudinal_al.errors import InvalidInput, ProjectExists
from longitudinal_al.project import by_hand, integrity, labels, merging, outcomes, pairs, rounds, schema
from longitudinal_al.project.classes import DEFAULT_CLASSES, checked_classes, read_classes
from longitudinal_al.project.database import BUSY_SECONDS, Database, gone
from longitudinal_al.project.files import make_folder, storage_failed, write_atomically
from longitudinal_al.project.lock import writer_lock
from longitudinal_al.project.project_file import PROJECT_FILE, build_file, counts, find_file, quick_check
from longitudinal_al.project.records import (
    Decision,
    GivenRegistration,
    Label,
    LabelVersion,
    Pair,
    PairState,
    Round,
    Split,
    Verdict,
)


class Project:
    """An open project; a context manager that closes its file.

    Each writing method is one transaction: when it returns, the change is on the disk. Every method may raise
    `ProjectBusy` (another process kept writing for 10 s), `StorageFailed` (disk full, read-only, gone) or
    `ProjectDamaged`. To be used from the thread that opened it; several processes may have a project open.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self._database = database
        self.classes = read_classes(database)

    @classmethod
    def create(cls, folder: Path, classes: Sequence[str] = DEFAULT_CLASSES) -> Project:
        """Make a new, empty project in a folder (made where missing) and open it.

        Parameters
        ----------
        folder
            The project's folder.
        classes
            Names of the kinds of change; class k of a mask is entry k - 1.

        Raises
        ------
        ProjectExists
            When the folder holds a project already, in whatever condition.
        """
        names = checked_classes(classes)
        try:
            make_folder(folder)
        except OSError as error:
            raise storage_failed(folder, error) from error
        folder = folder.resolve()
        with writer_lock(folder, "creating"):
            if (folder / PROJECT_FILE).exists():
                raise ProjectExists(f"{folder} holds a project already: use it, or choose another folder")
            write_atomically(folder / PROJECT_FILE, lambda temporary: build_file(temporary, names))
        return cls.open(folder)

    @classmethod
    def open_or_create(cls, folder: Path) -> Project:
        """Open the project of a folder, or make an empty one there."""
        try:
            return cls.create(folder)
        except ProjectExists:
            return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, *, busy_seconds: float = BUSY_SECONDS) -> Project:
        """Open a project, bringing the file of an older version up to date (a copy of it is kept beside it).

        Parameters
        ----------
        folder
            The project's folder.
        busy_seconds
            How long to wait for another process that is writing.

        Raises
        ------
        ProjectNotFound, ProjectTooNew, ProjectDamaged
            When the file is missing, newer than this program, or no sound project file; nothing is changed.
        """
        path = find_file(folder)
        database = Database(path, busy_seconds)
        try:
            schema.bring_up_to_date(database)
            quick_check(database)
            return cls(path.parent, database)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Close the project's file; closing twice is harmless."""
        self._database.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def without_waiting(self) -> AbstractContextManager[None]:
        """Let what is read inside raise `ProjectBusy` at once, for a window that must not stand still."""
        return self._database.without_waiting()

    def require_file(self) -> None:
        """Raise `StorageFailed` when the project's file was taken away while it is open."""
        if not self._database.path.is_file():
            raise gone(self._database.path)

    def pair_folder(self, pair_id: str) -> Path:
        """Return the folder of a pair's prepared volumes, which may not exist yet."""
        return self.folder / "pairs" / self.pair(pair_id).id

    def writer_lock(self, purpose: str) -> AbstractContextManager[None]:
        """Return a context in which this process alone prepares or trains; else `ProjectBusy` at once."""
        return writer_lock(self.folder, purpose)

    # Pairs

    def add_pairs(self, new: Sequence[Pair]) -> int:
        """Add all pairs or none, and return how many are new; the same pair again is passed over."""
        return pairs.add_pairs(self._database, self.folder, new)

    def pairs(self, split: Split | None = None) -> list[Pair]:
        """Return the pairs (of one split) in the order in which they were added."""
        return pairs.read_pairs(self._database, self.folder, split)

    def pair(self, pair_id: str) -> Pair:
        """Return one pair; `InvalidInput` when there is none of this name."""
        return pairs.read_pair(self._database, self.folder, pair_id)

    def pair_figures(self, pair_id: str) -> dict[str, Any]:
        """Return the figures of a pair's preparation."""
        return pairs.read_figures(self._database, pair_id)

    def set_prepared(
        self,
        pair_id: str,
        verdict: Verdict,
        reason: str,
        figures: Mapping[str, Any],
        slice_pairs: int,
        begun_as: Pair | None = None,
    ) -> None:
        """Write down that a pair is prepared and gives `slice_pairs` slice pairs to the pool.

        `begun_as` is the pair as the preparation found it: what a human said of it since then counts more.
        """
        if verdict is Verdict.FAILED:
            raise InvalidInput(f"pair {pair_id!r}: a pair whose check failed is not prepared; use set_failed")
        found = (PairState.PREPARED, verdict, reason, figures, slice_pairs)
        outcomes.set_outcome(self._database, pair_id, *found, begun_as)

    def set_failed(
        self, pair_id: str, reason: str, figures: Mapping[str, Any], begun_as: Pair | None = None
    ) -> None:
        """Write down that a pair could not be prepared, and why; it stays out of the pool.

        `begun_as` as in `set_prepared`.
        """
        found = (PairState.FAILED, Verdict.FAILED, reason, figures, 0)
        outcomes.set_outcome(self._database, pair_id, *found, begun_as)

    def set_registration(self, pair_id: str, given: GivenRegistration | None, annotator: str = "") -> None:
        """Take a registration by hand (`None`: none any more); the pair has to be prepared again.

        An earlier word on the check counts no more, since it was about another registration. All is kept.
        """
        by_hand.set_registration(self._database, pair_id, given, annotator)

    def overrule(self, pair_id: str, verdict: Verdict | None, annotator: str = "") -> None:
        """Put a human's verdict above that of the registration check (`None`: the check counts again).

        A pair that is prepared stays so, unless it is set aside as failed; any other one has to be prepared.
        """
        by_hand.overrule(self._database, pair_id, verdict, annotator)

    # Predicted changes

    def decide(self, pair_id: str, change: str, decision: Decision | None, annotator: str = "") -> None:
        """Write down what a human says of a predicted change (`None`: nothing any more); all is kept."""
        by_hand.insert_decision(self._database, pair_id, change, decision, annotator)

    def decisions(self, pair_id: str) -> dict[str, Decision]:
        """Return what counts for each predicted change of a pair, by the change's id."""
        return by_hand.decisions(self._database, pair_id)

    # Labels

    def save_label(self, label: Label) -> None:
        """Save a label; earlier versions of the slice pair are kept, the newest counts."""
        highest = label.mask.max()
        if highest > len(self.classes):
            raise InvalidInput(
                f"label of pair {label.pair!r}, slice {label.slice}: the mask holds class {highest}, "
                f"the project knows {len(self.classes)} ({', '.join(self.classes)})"
            )
        labels.insert_label(self._database, label)

    def withdraw_label(self, pair_id: str, slice_index: int, annotator: str = "") -> None:
        """Withdraw the label of a slice pair, which then is unlabelled again; its history is kept."""
        labels.insert_withdrawal(self._database, pair_id, slice_index, annotator)

    def labels(self) -> list[Label]:
        """Return the newest label of every slice pair, withdrawn ones left out, by pair and slice."""
        return labels.newest_labels(self._database)

    def label(self, pair_id: str, slice_index: int) -> Label | None:
        """Return the label that counts for a slice pair, `None` when there is none."""
        return labels.newest_label(self._database, pair_id, slice_index)

    def label_number(self, pair_id: str, slice_index: int) -> int:
        """Return a number that grows with each label and withdrawal of a slice pair, 0 before the first."""
        return labels.newest_number(self._database, pair_id, slice_index)

    def label_history(self, pair_id: str, slice_index: int) -> list[LabelVersion]:
        """Return every version of a slice pair's label, the oldest first, withdrawals included."""
        return labels.history(self._database, pair_id, slice_index)

    def labelled(self) -> set[tuple[str, int]]:
        """Return the labelled slice pairs as (pair, slice); reads no mask."""
        return labels.labelled(self._database)

    def last_label_number(self) -> int:
        """Return a number that grows with every label and withdrawal (0: none yet); to see that some came."""
        return labels.last_number(self._database)

    def label_changes_since(self, number: int) -> dict[tuple[str, int], bool]:
        """Return the (pair, slice) saved or withdrawn after `number`, and whether each is labelled now."""
        return labels.changes_since(self._database, number)

    # Rounds

    def next_round_number(self) -> int:
        """Return the number of the round to come, counted from 1."""
        return rounds.next_number(self._database)

    def add_round(self, finished: Round) -> None:
        """Write down a finished round; `ProjectBusy` when another process finished the same number first."""
        rounds.insert_round(self._database, self.folder, finished)

    def add_round_figures(self, number: int, figures: Mapping[str, Any]) -> None:
        """Add figures to a finished round, measured after it; one of the same name is replaced."""
        rounds.add_figures(self._database, number, figures)

    def rounds(self) -> list[Round]:
        """Return all finished rounds, the first one first."""
        return rounds.read_rounds(self._database, self.folder)

    # The whole

    def merge(self, other: Path) -> merging.Merge:
        """Bring all that humans made in another project into this one, as often as you like.

        Every version of every label is kept, and all that was said of predicted changes and registrations.
        Where both projects have something of one slice pair, change or registration, the one counts that was
        made knowing the other (as in a copy that was worked on further), else the one that was saved last.
        The other project, in the folder `other`, is only read. Everything is merged, or nothing is.

        Raises
        ------
        InvalidInput
            When both are the same project, have other classes, or a pair of one name is not the same pair.
        """
        source = find_file(other)
        if source.samefile(self._database.path):
            raise InvalidInput(f"{other} is the same project: give the folder of the other copy")
        return merging.merge(self._database, self.folder, source)

    def status(self) -> dict[str, int]:
        """Count pairs, patients, slice pairs, labels, rounds and failures, in one query."""
        return counts(self._database)

    def check(self) -> list[str]:
        """Check the file, every mask and the folders; return a sentence for each problem."""
        with closing(Database(self._database.path)) as fresh:  # an open file's cache would hide damage
            return integrity.problems(fresh, self.folder)
