"""What the experiment consists of: cohorts, arms, seeds and budgets, in a small and a full size."""

from __future__ import annotations

from dataclasses import dataclass, field

from longitudinal_al.acquisition.needs import Needs
from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.cohorts import Cohort
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.augmentation import Augmentation

FRACTIONS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.16)
"""Shares of the pool that are labelled after each round."""
RECIPE = "recipe"
LEADING = (RECIPE, "random", "entropy", "foreground_random", "difference", "strided")
"""Run with every seed before any other arm: what the recipe is held against first."""
BEGUN_BY_MDAL = f"{RECIPE} begun by mdal"
WITHOUT_EXCHANGED_TIMES = f"{RECIPE} without exchanged times"
SMALL_LEAVES_OUT = (f"{RECIPE} without spacing", BEGUN_BY_MDAL, WITHOUT_EXCHANGED_TIMES)
"""The first hardly acts with the few labels of the small size, the others take trainings of their own."""

SETTINGS = (
    "attention_misalignment:variant=fitted",
    "attention_misalignment:variant=oracle",
    "typiclust:features=contrast",
    "probcover:features=contrast",
)
"""Strategies that are worth an arm with another setting too."""


@dataclass(frozen=True)
class Plan:
    """An experiment: every arm on every cohort with every seed.

    Attributes
    ----------
    cohorts, arms : tuple
        What is run on what; arms named in `LEADING` come before the others.
    seeds : int
        Seeds 0, 1, ...; arms with the same first batch share their first round.
    fractions : tuple of float
        Shares of the pool that are labelled after each round.
    training : TrainingSettings
        Of every round and of full labelling, unless an arm says otherwise.
    """

    cohorts: tuple[Cohort, ...]
    arms: tuple[Arm, ...]
    seeds: int
    fractions: tuple[float, ...] = FRACTIONS
    training: TrainingSettings = field(default_factory=TrainingSettings)

    @property
    def tiers(self) -> tuple[tuple[Arm, ...], ...]:
        """The arms in two groups, the leading ones first."""
        leading = [arm for name in LEADING for arm in self.arms if arm.name == name]
        return tuple(leading), tuple(arm for arm in self.arms if arm not in leading)


def full_plan(training: TrainingSettings | None = None) -> Plan:
    """Return the experiment in full: 40 patients to label and 40 to test on, in three difficulties."""
    cohorts = tuple(
        Cohort(name, difficulty=name, pool=40, test=40, seed=seed)
        for seed, name in ((101, "typical"), (102, "clear"), (103, "hard"))
    )
    arms = tuple(every_strategy() + ablation() + variants())
    return Plan(cohorts, arms, 5, training=training or TrainingSettings())


def small_plan(training: TrainingSettings | None = None) -> Plan:
    """Return the experiment for two cores and twenty minutes: one cohort, few arms, few rounds.

    A round trains half as long as in full, as most of the time goes there; pretraining is the product's, as
    what is worth labelling first depends on it. `SMALL_LEAVES_OUT` names what else is left out.
    """
    cohort = Cohort("typical-small", difficulty="typical", pool=10, test=8, seed=104)
    names = (RECIPE, "random", "entropy", "difference")
    parts = (arm for arm in ablation() if arm.name not in SMALL_LEAVES_OUT)
    return Plan(
        (cohort,),
        (*(Arm.plain(name) for name in names), *parts),
        2,
        fractions=(0.02, 0.04, 0.08),
        training=training or TrainingSettings(steps=125),
    )


def every_strategy() -> list[Arm]:
    """Return one arm a strategy, with the defaults of its settings."""
    return [Arm.plain(name) for name in STRATEGIES]


def ablation() -> list[Arm]:
    """Return the recipe with each of its parts switched off in turn, and begun with different kinds.

    The parts of its training too; pretraining also where labels are drawn at random.
    """
    parts = [name for name, value in STRATEGIES[RECIPE].settings.items() if value is True]
    without = [Arm(f"{RECIPE} without {part}", f"{RECIPE}:{part}=off") for part in parts]
    as_they_are = {"augmentation": Augmentation(exchanged=0.0)}
    return [
        *without,
        Arm(BEGUN_BY_MDAL, RECIPE, cold_start="mdal_diverse"),
        Arm(WITHOUT_EXCHANGED_TIMES, RECIPE, training=as_they_are),
        Arm(f"{RECIPE} without pretraining", RECIPE, training={"pretraining": 0}),
        Arm("random without pretraining", "random", training={"pretraining": 0}),
    ]


def variants() -> list[Arm]:
    """Return what strategies and training offer besides their defaults: in the experiment in full alone.

    `entropy` begun by difference has the first batch of `recipe`, as the arms that need a network begin at
    random otherwise: what lies between those two is not the first batch.
    """
    return [
        Arm("entropy begun by difference", "entropy", cold_start="difference"),
        *map(Arm.plain, SETTINGS),
        Arm("attention_misalignment with alignment", "attention_misalignment", training={"alignment": 0.1}),
        Arm(f"{RECIPE} with a mean teacher", RECIPE, training={"consistency": 10.0}),
        Arm(f"{RECIPE} without rehearsal", RECIPE, training={"rehearsal": 0}),
    ]


def needs_references(arm: Arm) -> bool:
    """Tell whether an arm is a yardstick that looks at references, which no annotator could run."""
    return Needs.LABELS in arm.wanted().needs


SIZES = {"small": small_plan, "full": full_plan}
