"""2 Pairs: how a pair was registered: looked at, judged, and corrected."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from longitudinal_al.errors import NotReady
from longitudinal_al.project.records import GivenRegistration, PairState, Verdict
from LongitudinalALLib.Logic.Guard import guarded
from LongitudinalALLib.Logic.PairsLogic import PairsLogic, showPair
from LongitudinalALLib.Logic.RegistrationByHand import poseByHand
from LongitudinalALLib.Logic.Study import Study

FLICKER_SECONDS = 0.5


class RegistrationLogic:
    """From the check of the registration, in the section Pairs, to the project and the scene.

    Parameters
    ----------
    section : PairsSection
    study : Study
    scene : Scene
    pairs : PairsLogic
        Prepares what was corrected, and lists it.
    """

    def __init__(self, section: Any, study: Study, scene: Any, pairs: PairsLogic) -> None:
        self._section, self._study, self._scene, self._pairs = section, study, scene, pairs
        self._flickAt: float | None = None
        self._checked: str | None = None
        section.checkViewRequested.connect(self.checkView)
        section.overruleRequested.connect(self.overrule)
        section.useTransformRequested.connect(self.useTransform)
        section.registerFromTransformRequested.connect(self.registerFromTransform)
        study.closing.connect(self._onClosing)
        study.ticked.connect(self._onTick)

    @guarded
    def checkView(self, pair: str, mode: str) -> None:
        """Lay the baseline over the follow-up: `flicker`, `checkerboard`, `edges` or `off`."""
        self._scene.renewPair(self._study.project.pair_folder(pair))
        if self._scene.shownPair is None or self._scene.shownPair.name != pair:
            showPair(self._study, self._scene, pair)
        self._scene.checkView(mode)
        self._flickAt = self._study.clock() + FLICKER_SECONDS if mode == "flicker" else None
        self._checked = None if mode == "off" else pair

    @guarded
    def endCheck(self) -> None:
        """Take the check view away, as something else is to be looked at."""
        if self._checked is None:
            return
        self._noteCheckEnded()
        if self._scene.shownPair is not None:
            self._scene.checkView("off")

    @guarded
    def overrule(self, pair: str, verdict: str) -> None:
        """Put the annotator's verdict above that of the check."""
        project = self._study.project
        project.overrule(pair, Verdict(verdict), self._study.annotator)
        waits = project.pair(pair).state is PairState.ADDED
        self._pairs.show(_("It takes part again once it is prepared.") if waits else "")

    @guarded
    def useTransform(self, pair: str, transformNodeId: str) -> None:
        """Take a transform of the baseline as the registration, as it is."""
        self._takeTransform(pair, transformNodeId, refine=False)
        self._pairs.prepareSaying(
            _("The transform is kept as the registration; the pair is being prepared with it.")
        )

    @guarded
    def registerFromTransform(self, pair: str, transformNodeId: str) -> None:
        """Take a transform of the baseline as where the search for the registration begins."""
        self._takeTransform(pair, transformNodeId, refine=True)
        self._pairs.prepareSaying(_("The transform is kept; the pair is being registered from it."))

    def _takeTransform(self, pair: str, transformNodeId: str, refine: bool) -> None:
        node = self._scene.mrmlScene.GetNodeByID(transformNodeId)
        if node is None:
            raise NotReady(_("the transform is no longer in the scene: choose another one"))
        project = self._study.project
        present = project.pair_folder(pair) / "transform.tfm"
        pose = poseByHand(node, present)
        if present.is_file():
            self._checkMoved(pair, node)
        given = GivenRegistration(tuple(pose.ravel().tolist()), refine)
        project.set_registration(pair, given, self._study.annotator)
        self._pairs.refresh()
        self._study.pairsChanged.emit()

    def _checkMoved(self, pair: str, transformNode: Any) -> None:
        """Raise `NotReady` unless the annotator sees the present baseline moved by that transform.

        The transform corrects the registration that is there; taken twice it would correct it twice.
        """
        folder = self._study.project.pair_folder(pair)
        if self._scene.renewPair(folder):
            words = _("{pair} was prepared anew meanwhile, and is shown as it is now: look at it again")
            raise NotReady(words.format(pair=pair))
        opened = self._scene.pairAt(folder)
        isMoved = opened is not None and opened.baseline.GetTransformNodeID() == transformNode.GetID()
        if not isMoved:
            words = _("the baseline of {pair} is not under '{name}': put it there, and move it until it fits")
            raise NotReady(words.format(pair=pair, name=transformNode.GetName()))

    def showError(self, text: str) -> None:
        """Show what went wrong."""
        self._section.showMessage(text)

    def _noteCheckEnded(self) -> None:
        self._checked = self._flickAt = None
        self._section.showCheckView("off")

    def _onTick(self) -> None:
        shown = self._scene.shownPair.name if self._scene.shownPair is not None else None
        if self._checked is not None and self._checked != shown:  # it went with the pair that was shown
            self._noteCheckEnded()
        if self._flickAt is not None and self._study.clock() >= self._flickAt:
            self._flickAt = self._study.clock() + FLICKER_SECONDS
            self._scene.flick()

    def _onClosing(self) -> None:
        self._flickAt = self._checked = None
