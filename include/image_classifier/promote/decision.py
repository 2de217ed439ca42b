"""Defines the record of a decision about a model, which is stored below promotions/ in S3."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from image_classifier.classifier.promotion import Promotion
from image_classifier.evaluate.proportions import Proportion

Verdict = Literal["promote", "refuse", "undecided"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Comparison(_Part):
    """The comparison of candidate and champion on the same images.

    ``low`` and ``high`` are one-sided bounds of the difference of accuracy, candidate minus champion, at the rule's
    alpha (Newcombe's method 10). ``mid_p`` and ``exact_p`` are the p-values of McNemar's two-sided tests.
    """

    images: int
    both_right: int
    only_candidate: int
    only_champion: int
    both_wrong: int
    candidate: Proportion
    champion: Proportion
    difference: float
    low: float
    high: float
    mid_p: float
    exact_p: float


class ClassComparison(_Part):
    """The comparison of one class's recall.

    ``p_value`` is one-sided, for the candidate being worse; ``adjusted`` is the same with Holm's correction. ``high``
    is the upper bound of the difference at the class's share of alpha. The class blocks if ``adjusted`` is below alpha
    and ``high`` is below minus the margin.
    """

    label: str
    images: int
    candidate: Proportion
    champion: Proportion
    difference: float
    high: float
    p_value: float
    adjusted: float
    blocks: bool


class Answer(_Part):
    """A person's answer to the question whether the model may go live.

    Attributes:
        outcome: ``timed_out``: nobody answered in time. ``withdrawn``: a newer run was waiting. ``outdated``: the live
            model changed each time before the question could be answered.
        by: the user's name in Airflow; None if nobody answered.
        at: ISO 8601, UTC.
        asked_at: time of the question, ISO 8601, UTC.

    """

    outcome: Literal["approved", "rejected", "timed_out", "withdrawn", "outdated"]
    by: str | None = None
    at: str
    asked_at: str


class Decision(_Part):
    """A decision about a candidate, with its reason and figures.

    Attributes:
        basis: whether the candidate was compared with the champion, or evaluated alone as a first model.
        verdict: the result of the rule; whether the model is deployed also depends on the rule's mode.
        images: number of test images with an answer of the candidate.
        excluded: number of these that were not compared, because a model was trained or validated on them or on a
            near-duplicate.
        missing_images: number of further test images that a decision needs, if it is undecided.
        answer: the person's answer, if the rule's mode is approval.

    """

    schema_: Literal[1] = Field(default=1, alias="schema")
    classifier: str
    candidate: str
    champion: str | None
    test_manifest: str
    rule: Promotion
    basis: Literal["comparison", "first model"]
    verdict: Verdict
    summary: str
    reasons: tuple[str, ...]
    images: int
    excluded: int
    accuracy: Proportion
    comparison: Comparison | None
    classes: tuple[ClassComparison, ...]
    missing_images: int | None
    answer: Answer | None = None

    def document(self) -> bytes:
        """Return the bytes of the record."""
        return self.model_dump_json(indent=1, by_alias=True).encode()
