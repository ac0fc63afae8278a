"""What there is to choose with: every strategy, its score and its selector, by families of the survey.

The families are those of "A comprehensive survey on deep active learning in medical image analysis", Medical
Image Analysis 2024 (arXiv 2310.14230). N is the pool, B the batch, d the width of the features, m what is
labelled; a pass is one look of one network at every slice pair. The network knows one class: change.
"""

from __future__ import annotations

from longitudinal_al.acquisition.needs import Needs, ScoreSource
from longitudinal_al.acquisition.scores.attention_misalignment import attention_misalignment
from longitudinal_al.acquisition.scores.augmentation_variance import augmentation_variance
from longitudinal_al.acquisition.scores.bald import bald
from longitudinal_al.acquisition.scores.change_entropy import change_entropy
from longitudinal_al.acquisition.scores.difference_entropy import difference_entropy
from longitudinal_al.acquisition.scores.dropout_entropy import dropout_entropy
from longitudinal_al.acquisition.scores.ensemble_variance import ensemble_variance
from longitudinal_al.acquisition.scores.entropy import entropy
from longitudinal_al.acquisition.scores.learning_loss import learning_loss
from longitudinal_al.acquisition.scores.least_confidence import least_confidence
from longitudinal_al.acquisition.scores.margin import margin
from longitudinal_al.acquisition.scores.predicted_change import predicted_change
from longitudinal_al.acquisition.scores.selective_uncertainty import selective_uncertainty
from longitudinal_al.acquisition.scores.sure_change import sure_change
from longitudinal_al.acquisition.scores.vote_entropy import vote_entropy
from longitudinal_al.acquisition.selectors.badge import badge
from longitudinal_al.acquisition.selectors.clasp_pe import clasp_pe
from longitudinal_al.acquisition.selectors.cluster_margin import cluster_margin
from longitudinal_al.acquisition.selectors.facility_location import facility_location
from longitudinal_al.acquisition.selectors.foreground_random import foreground_random
from longitudinal_al.acquisition.selectors.hybrid import hybrid
from longitudinal_al.acquisition.selectors.information_density import information_density
from longitudinal_al.acquisition.selectors.kcenter import kcenter
from longitudinal_al.acquisition.selectors.max_cover import max_cover
from longitudinal_al.acquisition.selectors.mdal_diverse import mdal_diverse
from longitudinal_al.acquisition.selectors.mdal_max import mdal_max
from longitudinal_al.acquisition.selectors.power import power
from longitudinal_al.acquisition.selectors.probcover import probcover
from longitudinal_al.acquisition.selectors.random import random
from longitudinal_al.acquisition.selectors.recipe import recipe
from longitudinal_al.acquisition.selectors.representative_to_uncertain import representative_to_uncertain
from longitudinal_al.acquisition.selectors.score_per_second import score_per_second
from longitudinal_al.acquisition.selectors.stochastic_batches import stochastic_batches
from longitudinal_al.acquisition.selectors.strided import strided
from longitudinal_al.acquisition.selectors.top import top
from longitudinal_al.acquisition.selectors.typiclust import typiclust
from longitudinal_al.acquisition.strategy import Option, Strategy

LMI_AL = "LMI-AL, IJCNN 2025 (arXiv 2511.18007)"
MDAL = "MDAL, Computerized Medical Imaging and Graphics 123 (2025) 102544; reconstructed"
MODEL, FEATURES, NONE = Needs.MODEL, Needs.MODEL | Needs.FEATURES, Needs.NOTHING
SORT, PASS_AND_SORT, PASSES = "O(N log N)", "1 pass; O(N log N)", "K passes; O(N log N)"
KEEP = {"keep": Option(10, "so many times the batch are kept by score", lowest=1, highest=100)}
WHOSE_FEATURES = {
    "features": Option(
        "model",
        "whose features: the model's, or those of the contrastive encoders, which need no label",
        choices={"model": FEATURES, "contrast": Needs.CONTRAST},
    )
}


def _members(count: int) -> dict[str, Option]:
    return {
        "members": Option(
            count, "networks trained each round; 1: passes with dropout instead", lowest=1, highest=20
        )
    }


CATALOGUE: tuple[Strategy, ...] = (
    Strategy(
        "random",
        *(ScoreSource.NONE, random, NONE),
        paper="-",
        summary="slice pairs drawn at random",
        family="baseline",
        cost="O(N)",
    ),
    Strategy(
        "strided",
        *(ScoreSource.NONE, strided, NONE),
        paper="Madow and Madow, 1944",
        summary="every k-th slice pair of the pool",
        family="baseline",
        cost=SORT,
    ),
    Strategy(
        "difference",
        *(ScoreSource.DIFFERENCE, top, Needs.DIFFERENCE),
        paper="-",
        summary="largest difference; no network",
        family="difference",
        cost=SORT,
    ),
    Strategy(
        "mdal_max",
        *(ScoreSource.CONTRAST, mdal_max, Needs.CONTRAST),
        paper=MDAL,
        summary="largest modality difference of two contrastive encoders",
        family="difference",
        cost=f"one contrastive training; {SORT}",
    ),
    Strategy(
        "mdal_diverse",
        *(ScoreSource.CONTRAST, mdal_diverse, Needs.CONTRAST),
        paper=MDAL,
        summary="largest modality difference of each of B groups",
        family="difference",
        cost="one contrastive training; O(N B d)",
    ),
    Strategy(
        "entropy",
        *(entropy, top, MODEL),
        paper="Settles, Active Learning Literature Survey, 2009",
        summary="highest entropy",
        family="probability",
        cost=PASS_AND_SORT,
    ),
    Strategy(
        "difference_entropy",
        *(difference_entropy, top, MODEL | Needs.DIFFERENCE),
        paper=LMI_AL,
        summary="highest entropy where the scans differ",
        family="probability",
        cost=PASS_AND_SORT,
    ),
    Strategy(
        "least_confidence",
        *(least_confidence, top, MODEL),
        paper="Lewis and Gale, SIGIR 1994",
        summary="least confident patch",
        family="probability",
        cost=PASS_AND_SORT,
    ),
    Strategy(
        "margin",
        *(margin, top, MODEL),
        paper="Scheffer et al., IDA 2001",
        summary="smallest margins between change and no change, wherever they lie",
        family="probability",
        cost=PASS_AND_SORT,
    ),
    Strategy(
        "dropout_entropy",
        *(dropout_entropy, top, MODEL | Needs.DROPOUT),
        paper="Gal and Ghahramani, ICML 2016",
        summary="highest entropy of the mean over passes with dropout",
        family="disagreement",
        cost=PASSES,
    ),
    Strategy(
        "bald",
        *(bald, top, MODEL | Needs.ENSEMBLE),
        paper="Houlsby et al., 2011 (arXiv 1112.5745)",
        summary="largest disagreement between the members of an ensemble",
        family="disagreement",
        cost=PASSES,
        options=_members(1),
    ),
    Strategy(
        "vote_entropy",
        *(vote_entropy, top, MODEL | Needs.ENSEMBLE),
        paper="Query by committee: Seung et al., COLT 1992; Dagan and Engelson, ICML 1995",
        summary="most divided votes of a committee",
        family="disagreement",
        cost=PASSES,
        options=_members(3),
    ),
    Strategy(
        "ensemble_variance",
        *(ensemble_variance, top, MODEL | Needs.ENSEMBLE),
        paper="Lakshminarayanan et al., NeurIPS 2017; Beluch et al., CVPR 2018",
        summary="largest variance over a deep ensemble",
        family="disagreement",
        cost=PASSES,
        options=_members(3),
    ),
    Strategy(
        "augmentation_variance",
        *(augmentation_variance, top, MODEL | Needs.VARIANTS),
        paper="after TAAL: Gaillochet et al., 2022 (arXiv 2301.06624)",
        summary="largest variance under flips and misregistration by a pixel",
        family="augmentation",
        cost=f"1 pass a variant; {SORT}",
    ),
    Strategy(
        "learning_loss",
        *(learning_loss, top, MODEL | Needs.PREDICTED_LOSS),
        paper="Yoo and Kweon, CVPR 2019",
        summary="largest loss that the network predicts for itself",
        family="learned",
        cost=PASS_AND_SORT,
    ),
    Strategy(
        "kcenter",
        *(ScoreSource.NONE, kcenter, FEATURES),
        paper="Sener and Savarese, ICLR 2018",
        summary="least like anything labelled or chosen",
        family="core-set, clustering, density",
        cost="1 pass; O(N (m + B) d)",
    ),
    Strategy(
        "cluster_margin",
        *(margin, cluster_margin, FEATURES),
        paper="Citovsky et al., NeurIPS 2021",
        summary="small margins, in turns from different clusters",
        family="core-set, clustering, density",
        cost="1 pass; one clustering",
    ),
    Strategy(
        "hybrid",
        *(entropy, hybrid, FEATURES),
        paper=LMI_AL,
        summary="highest entropy first, then the least redundant of them",
        family="core-set, clustering, density",
        cost="1 pass; O(N log N + B (m + B) d)",
    ),
    Strategy(
        "typiclust",
        *(ScoreSource.NONE, typiclust, NONE),
        paper="Hacohen et al., ICML 2022",
        summary="the most typical of the largest groups without label",
        family="core-set, clustering, density",
        cost="1 pass; O(N (m + B) d + N² d / (m + B))",
        options=WHOSE_FEATURES,
    ),
    Strategy(
        "probcover",
        *(ScoreSource.NONE, probcover, NONE),
        paper="Yehuda et al., NeurIPS 2022",
        summary="balls that cover most of what is not covered",
        family="core-set, clustering, density",
        cost="1 pass; O(N² d) time, O(N) memory",
        options={
            **WHOSE_FEATURES,
            "delta": Option(0.0, "radius of the balls; 0: estimated", lowest=0.0, highest=2.0),
        },
    ),
    Strategy(
        "information_density",
        *(entropy, information_density, FEATURES),
        paper="Settles and Craven, EMNLP 2008",
        summary="highest entropy times likeness to the pool",
        family="core-set, clustering, density",
        cost="1 pass; O(N d)",
        options={"beta": Option(1.0, "power of the likeness", lowest=0.0, highest=100.0)},
    ),
    Strategy(
        "badge",
        *(ScoreSource.NONE, badge, MODEL | Needs.GRADIENTS),
        paper="Ash et al., ICLR 2020",
        summary="long gradients in different directions",
        family="gradients",
        cost="1 pass; O(N B d)",
    ),
    Strategy(
        "stochastic_batches",
        *(entropy, stochastic_batches, MODEL),
        paper="Gaillochet et al., Medical Image Analysis 2023",
        summary="the most uncertain of many random batches",
        family="batch and budget",
        cost="1 pass; O(batches N)",
        options={"batches": Option(100, "so many are drawn", lowest=1, highest=10_000)},
    ),
    Strategy(
        "power_bald",
        *(bald, power, MODEL | Needs.ENSEMBLE),
        paper="Kirsch et al., TMLR 2023",
        summary="BALD with noise on its logarithm",
        family="batch and budget",
        cost=PASSES,
        options={**_members(1), "beta": Option(1.0, "1 / the noise", lowest=0.0, highest=1e6)},
    ),
    Strategy(
        "clasp_pe",
        *(entropy, clasp_pe, MODEL | Needs.ENSEMBLE),
        paper="Lüth, Traub et al., TMLR 2026 (arXiv 2601.13677)",
        summary="two thirds by p H, one third by H, with noise that fades over the rounds",
        family="batch and budget",
        cost=PASSES,
        also={"change_score": change_entropy},
        options={
            **_members(3),
            "stratified": Option(2 / 3, "share of the class-stratified part", lowest=0.0, highest=1.0),
            "first_beta": Option(1.0, "1 / the noise in the first round", lowest=1e-6, highest=1e6),
            "last_beta": Option(100.0, "1 / the noise in the last round", lowest=1e-6, highest=1e6),
        },
    ),
    Strategy(
        "representative_to_uncertain",
        *(entropy, representative_to_uncertain, FEATURES),
        paper="after Hacohen et al., ICML 2022",
        summary="typical slice pairs first, uncertain ones in later rounds",
        family="batch and budget",
        cost="as typiclust",
    ),
    Strategy(
        "facility_location",
        *(entropy, facility_location, FEATURES),
        paper="Wei, Iyer and Bilmes, ICML 2015",
        summary="those that best represent the uncertain ones",
        family="submodular",
        cost="1 pass; O(N log N + (keep B)² d)",
        options=KEEP,
    ),
    Strategy(
        "max_cover",
        *(entropy, max_cover, FEATURES),
        paper="Suggestive annotation: Yang et al., MICCAI 2017",
        summary="uncertain ones that best represent the whole pool",
        family="submodular",
        cost="1 pass; O(keep B N d)",
        options=KEEP,
    ),
    Strategy(
        "selective_uncertainty",
        *(selective_uncertainty, top, MODEL),
        paper="Ma et al., ICASSP 2024 (arXiv 2401.16298)",
        summary="highest entropy where change is likely",
        family="class- and lesion-aware",
        cost=PASS_AND_SORT,
    ),
    Strategy(
        "foreground_random",
        *(ScoreSource.REFERENCE, foreground_random, Needs.LABELS),
        paper="nnActive: Lüth et al., TMLR 2025",
        summary="reference arm: two thirds at random from slice pairs that do have change",
        family="class- and lesion-aware",
        cost="O(N)",
        options={"share": Option(2 / 3, "of the batch that has change", lowest=0.0, highest=1.0)},
    ),
    Strategy(
        "score_per_second",
        *(entropy, score_per_second, MODEL | Needs.COST),
        paper="Settles, Craven and Friedland, 2008",
        summary="highest entropy for a second of the annotator's time",
        family="cost-aware",
        cost=PASS_AND_SORT,
        also={"predicted_change": predicted_change},
        options={"power": Option(1.0, "of the seconds; 0 leaves them out", lowest=0.0, highest=10.0)},
    ),
    Strategy(
        "attention_misalignment",
        *(attention_misalignment, top, MODEL | Needs.ATTENTION),
        paper="xGAL (arXiv 2602.13308)",
        summary="uncertain, and the network looks elsewhere than where change is",
        family="explainability",
        cost=PASS_AND_SORT,
        options={
            "weight": Option(0.3, "of the uncertainty (lambda)", lowest=0.0, highest=1.0),
            "variant": Option(
                "deployable",
                "where the network should look",
                choices={
                    "deployable": Needs.DIFFERENCE,
                    "fitted": Needs.FITTED_MISALIGNMENT,
                    "oracle": Needs.LABELS,
                },
            ),
        },
    ),
    Strategy(
        "recipe",
        *(entropy, recipe, MODEL),
        paper="this product's own; docs/benchmark.md",
        summary="what has surely changed, then highest entropy",
        family="recipe",
        cost=PASS_AND_SORT,
        also={"sure_change": sure_change},
        options={
            "changes": Option(True, "what has surely changed, until 16 are labelled"),
            "spacing": Option(True, "the distance between slices of a pair"),
            "members": Option(1, "networks trained each round", lowest=1, highest=20),
        },
        cold_start="difference",
    ),
)
"""In the order in which they are shown."""
