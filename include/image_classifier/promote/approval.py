"""Builds and stores the question to a person whether a model may go live."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.promote.decision import Decision

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MOST_CLASSES_TOLD = 10
Outcome = Literal["approved", "rejected", "timed_out", "withdrawn", "outdated"]


class Question(BaseModel):
    """An open question. It is about one comparison: of this candidate with this champion on these test images.

    Attributes:
        candidate: training job of the candidate.
        champion: training job of the live model; None without one.
        test_manifest: sha256 of the manifest of the test images that both were compared on.
        asked_at: time when the question was first asked.
        until: time when the model is rejected if nobody has answered.

    """

    model_config = ConfigDict(frozen=True)

    classifier: str
    candidate: str
    champion: str | None
    test_manifest: str
    asked_at: datetime
    until: datetime

    def is_about_the_same(self, other: "Question") -> bool:
        """Return whether both questions are about the same comparison."""
        same = ("classifier", "candidate", "champion", "test_manifest")
        return all(getattr(self, name) == getattr(other, name) for name in same)


def question_about(decision: Decision, *, now: datetime | None = None) -> Question:
    """Return the question about a decision whose verdict is promote."""
    asked_at = now or datetime.now(UTC)
    return Question(
        classifier=decision.classifier,
        candidate=decision.candidate,
        champion=decision.champion,
        test_manifest=decision.test_manifest,
        asked_at=asked_at,
        until=asked_at + timedelta(seconds=decision.rule.approval_time_limit_s),
    )


def open_question(s3: "S3Client", question: Question, *, bucket: str) -> tuple[Question, bool]:
    """Store the question; return it and whether it is new. An open one about the same comparison is kept.

    If an unchanged run replaces an earlier one, its question is the same: the time limit does not start again, and
    nobody gets a second message.
    """
    key = Keys(question.classifier).question
    stored = _stored(s3, bucket=bucket, key=key)
    if stored is not None and stored.is_about_the_same(question) and stored.until > question.asked_at:
        return stored, False
    body = question.model_dump_json(indent=1).encode()
    storage.write(s3, bucket=bucket, key=key, body=body, content_type="application/json")
    return question, True


def close_question(s3: "S3Client", *, classifier: str, bucket: str) -> None:
    """Delete the open question after its answer or its time limit."""
    key = Keys(classifier).question
    with storage.naming(bucket, key, doing="delete"):
        s3.delete_object(Bucket=bucket, Key=key)


def subject(decision: Decision) -> str:
    """Return the question's subject."""
    return f"May model {decision.candidate} go live as classifier {decision.classifier}?"


def body(decision: Decision, *, page: str) -> str:
    """Return the figures for the answer as Markdown; ``page`` is the report's address."""
    serving = f"`{decision.champion}`" if decision.champion else "none"
    lines = [
        decision.summary,
        "",
        f"* Candidate: `{decision.candidate}`",
        f"* Serves now: {serving}",
        f"* Test set: manifest `{decision.test_manifest[:8]}`, {decision.images:,} images, "
        f"{decision.excluded:,} of them not compared",
        f"* Report: `{page}`",
    ]
    worse = sorted((one for one in decision.classes if one.difference < 0), key=lambda one: one.difference)
    if worse:
        lines += ["", "| class | images | recall now | recall of the candidate |", "|---|---|---|---|"]
        lines += [
            f"| {one.label} | {one.images:,} | {one.champion.value:.1%} | {one.candidate.value:.1%} |"
            for one in worse[:MOST_CLASSES_TOLD]
        ]
    return "\n".join(lines)


def _stored(s3: "S3Client", *, bucket: str, key: str) -> Question | None:
    found = storage.read(s3, bucket=bucket, key=key)
    if found is None:
        return None
    try:
        return Question.model_validate_json(found[0])
    except ValidationError:
        return None  # another release wrote it: the question is asked again
