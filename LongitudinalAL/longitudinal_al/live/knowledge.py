"""What the live loop knows: the pool and its ranking, the newest model, and which labels that has learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Flag, auto
from pathlib import Path

from longitudinal_al.acquisition.strategies import Needs, Strategy, beginning
from longitudinal_al.errors import NotReady
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.lessons import can_answer
from longitudinal_al.live.anytime import AnytimeRanking
from longitudinal_al.live.models import Model, live_model_path, model_of_round
from longitudinal_al.live.settings import LiveSettings
from longitudinal_al.live.sight import Sight
from longitudinal_al.network.checkpoint import load_networks
from longitudinal_al.network.contrast import Contrast
from longitudinal_al.project.records import Round
from longitudinal_al.rounds import project_evidence

Key = tuple[str, int]
"""Pair and slice."""


class News(Flag):
    """What has changed since the look before."""

    NOTHING = 0
    POOL = auto()
    """Pairs were prepared, or prepared anew: another ranking begins."""
    ROUND = auto()
    """There is another newest round."""


class Knowledge:
    """Takes over from the project what is new, and keeps what was learned from it.

    Parameters
    ----------
    folder : Path
        The project's folder.
    wanted : Strategy
        By which the pool is ranked.
    settings : LiveSettings
        Size of batch and head, and the spacing.
    seed : int
        Of everything random.
    note : callable
        Takes a sentence for the user.

    Attributes
    ----------
    ranking : AnytimeRanking or None
        None while nothing is prepared.
    model : Model or None
        The newest.
    seen_label, learned_label : int
        Number of the newest label, and of the newest that the model knows or that there is nothing to learn
        from.
    fruitless_label : int
        Number of the newest label when none of all could be learned from.
    joined : int
        How many labels came into the pool with their pairs, after the newest round had learned.
    unpublished, labels_changed : bool
        Something is known that was not published, among it which slice pairs are labelled.
    """

    def __init__(
        self, folder: Path, wanted: Strategy, settings: LiveSettings, seed: int, note: Callable[[str], None]
    ) -> None:
        self.folder, self.wanted = folder, wanted
        self._settings, self._seed, self._note = settings, seed, note
        self.sight = Sight(folder)
        self.ranking: AnytimeRanking | None = None
        self.model: Model | None = None
        self.seen_label = self.learned_label = self.fruitless_label = -1
        self.unpublished = self.labels_changed = False
        self._seen_round = -1
        self._noted: set[str] = set()
        self._learnable: set[Key] = set()  # labelled slice pairs that the pool had at the look before

    def note_once(self, sentence: str) -> None:
        """Say a sentence to the user, unless it was said before."""
        if sentence not in self._noted:
            self._noted.add(sentence)
            self._note(sentence)

    def look(self, now: float, interrupt: Interrupt = never) -> News:
        """See what is new in the project, take it over, and say what it was; `now` in monotonic seconds."""
        self.sight.look(now, interrupt)
        news = News.NOTHING
        if self.sight.pool is not (self.ranking.pool if self.ranking else None):
            self._take_pool()
            news |= News.POOL
        if self.ranking is None:
            return news
        if self.sight.last_label != self.seen_label:
            self._take_labels(self.ranking)
        rounds = [done for done in self.sight.rounds if done.model is not None]
        newest = rounds[-1].number if rounds else 0
        if newest != self._seen_round:
            self._take_round(rounds[-1] if rounds else None)
            self._seen_round = newest
            news |= News.ROUND
        return news

    def take_model(self, model: Model) -> None:
        """Take a new model, with which everything is ranked anew."""
        self.model = model
        if self.ranking is not None:
            if self.ranking.labelled.any():
                self.learned_label = model.last_label
            given = project_evidence(self.sight.project, self.ranking.pool, self.wanted)
            self.ranking.take_evidence(given)
            self.ranking.take_model(model.network, *model.others)
        self.unpublished = True

    def take_contrast(self, contrast: Contrast) -> None:
        """Take what the contrastive encoders say of the pool."""
        if self.ranking is not None:
            self.ranking.take_contrast(contrast)
        self.unpublished = True

    @property
    def lacks_contrast(self) -> bool:
        """Whether the strategy, or its cold start, waits for the contrastive encoders."""
        return self.ranking is not None and self.ranking.lacks_contrast

    @property
    def unlearned(self) -> bool:
        """Whether labels have come (or gone) that the model should know and does not."""
        return (
            Needs.MODEL in self.wanted.needs and self.learned_label != self.seen_label and self.can_be_learned
        )

    @property
    def can_be_learned(self) -> bool:
        """Whether there are labels to learn from, as far as is known before they are read."""
        return self.fruitless_label != self.seen_label

    def published(self) -> None:
        """Note that all of this was published."""
        self.unpublished = self.labels_changed = False
        self.sight.published()

    def _take_pool(self) -> None:
        pool, settings = self.sight.pool, self._settings
        self._learnable = self._labelled_in_pool()
        self.ranking = None
        if pool is None:
            return
        self.ranking = AnytimeRanking(
            pool,
            self.wanted,
            batch=settings.batch,
            spacing_mm=settings.spacing_mm,
            head=settings.head,
            seed=self._seed,
            cold_start=beginning(settings.cold_start) if settings.cold_start else None,
        )
        self.seen_label = self.fruitless_label = -1
        self.unpublished = True
        if self.model:
            self.take_model(self.model)

    def _labelled_in_pool(self) -> set[Key]:
        """Return the labelled slice pairs that the pool at hand has."""
        if self.ranking is None:
            return set()
        return {key for key in self.sight.labelled if key in self.ranking.pool.index}

    def _take_labels(self, ranking: AnytimeRanking) -> None:
        self.seen_label = self.sight.last_label
        ranking.take_labels(self.sight.labelled)
        self.unpublished = self.labels_changed = True
        if not ranking.labelled.any():
            self.learned_label = self.seen_label
        elif self.model:
            here = self._labelled_in_pool()
            joined = here - self._learnable - self._labelled_since(self.model)
            if joined:  # their pairs came into the pool after them: the model does not know them
                self.model = replace(self.model, last_label=-1)
                self.learned_label = -1
                self.joined += len(joined)
        self._learnable = self._labelled_in_pool()

    def _labelled_since(self, model: Model) -> set[Key]:
        """Return the slice pairs that were labelled after a model learned, which is noticed by itself."""
        return set(self.sight.project.label_changes_since(max(model.last_label, 0)))

    def _take_round(self, newest: Round | None) -> None:
        """Go on from the newest round, which learned from the pretrained weights.

        Labels that came meanwhile are learned next, by a quick model that goes on from it. The first time,
        and without any round, from the quick model that an earlier worker has left.
        """
        found: Model | None = None
        try:
            if newest is not None:
                found = model_of_round(newest)
            elif live_model_path(self.folder).is_file():
                path = live_model_path(self.folder)
                found = Model(load_networks(path)[0], -1, path)
        except NotReady as error:
            self._note(f"{error}; a new one is learned meanwhile")
        if found and not can_answer(found.network, self.wanted):
            self._note(f"the newest model was not trained for {self.wanted.text}; a new one is learned")
            found = None
        self.joined = 0
        if found:
            self.take_model(found)
