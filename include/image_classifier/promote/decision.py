"""The record of a decision about a model, as promotions/ in S3 holds it: in numbers and in words."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from image_classifier.classifier.promotion import Promotion
from image_classifier.evaluate.proportions import Proportion

Verdict = Literal["promote", "refuse", "undecided"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Comparison(_Part):
    """Candidate and champion on the same images.

    ``low`` and ``high`` bound the difference of accuracy, candidate less champion, each with an error of the rule's
    alpha (Newcombe's method 10). ``mid_p`` and ``exact_p`` are McNemar's two-sided tests.
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
    """Recall of one class. ``p_value`` is one-sided, for the candidate being worse; ``adjusted`` is Holm's of it.

    ``high`` is the upper bound of the difference at the class's share of alpha. The class blocks if ``adjusted`` is
    below alpha and ``high`` below minus the margin.
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
    """What a person said when asked whether the model may serve.

    Attributes:
        outcome: ``timed_out``: nobody answered in time. ``withdrawn``: a newer run was waiting. ``outdated``: what
            serves changed as often as the question may be asked again.
        by: the user's name in Airflow; None if nobody answered.
        at: ISO 8601, UTC.
        asked_at: the same, of the question.

    """

    outcome: Literal["approved", "rejected", "timed_out", "withdrawn", "outdated"]
    by: str | None = None
    at: str
    asked_at: str


class Decision(_Part):
    """What was decided about a candidate, why, and on which figures.

    Attributes:
        basis: compared with the champion, or judged alone as a first model is.
        verdict: what the figures say; whether the model is deployed also depends on the rule's mode.
        images: test images with an answer of the candidate.
        excluded: of these, not compared, because a model was trained or validated on them or on a near-duplicate.
        missing_images: test images that are missing for a decision, where it is undecided.
        answer: of the person who was asked, if the rule's mode is approval.

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
        """The bytes of the record."""
        return self.model_dump_json(indent=1, by_alias=True).encode()
