"""Decides about a candidate from the reports and answers in S3, and stores the decision."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys, tuning_job_of
from image_classifier.classifier.promotion import Promotion
from image_classifier.contracts.errors import DatasetError, EvaluationError
from image_classifier.evaluate.answers import Answer, read_answers
from image_classifier.evaluate.evaluation import REPORT, Evaluation, stored_report
from image_classifier.evaluate.images import VersionImage, version_images
from image_classifier.evaluate.report.model import Report
from image_classifier.promote.compare import Pair
from image_classifier.promote.decide import decide
from image_classifier.promote.decision import Decision
from image_classifier.promote.eligibility import Identity, eligible

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compared:
    """The eligible test images with both models' answers, and the number of the other test images."""

    pairs: tuple[Pair, ...]
    excluded: int


def decide_candidate(s3: "S3Client", candidate: Evaluation, *, champion: str | None, rule: Promotion) -> Decision:
    """Compare the candidate with the champion on the candidate's test images, and decide.

    Args:
        s3: the S3 client, which reads the report, the answers and the manifests.
        candidate: the candidate's evaluation, whose report is stored.
        champion: training job of the live model, which may be the candidate; None without one.
        rule: the classifier's rule.

    Raises:
        EvaluationError: the candidate has no report, or the champion no answers for these images.

    """
    report = stored_report(s3, candidate)
    if report is None:
        raise EvaluationError(
            f"{candidate.training_job} has no report at {candidate.uri(candidate.prefix)}; evaluate it."
        )
    is_compared = champion not in (None, candidate.training_job)
    compared = _compared(s3, candidate, champion) if champion and is_compared else Compared((), 0)
    return decide(report, rule=rule, champion=champion, pairs=compared.pairs, excluded=compared.excluded)


def decision_key(classifier: str, candidate: str, *, at: datetime) -> str:
    """Return the S3 key of the decision about a candidate in the run that started at this time."""
    return f"{Keys(classifier).promotions}{at:%Y%m%dT%H%M%SZ}-{candidate}.json"


def stored_decision(s3: "S3Client", *, bucket: str, key: str) -> Decision:
    """Return the decision that an earlier task stored.

    Raises:
        ObjectGoneError: somebody deleted it.

    """
    return Decision.model_validate_json(storage.read_written(s3, bucket=bucket, key=key))


def keep_decision(s3: "S3Client", decision: Decision, *, bucket: str, at: datetime) -> str:
    """Store a decision under the time of its run, so that a retry replaces it; return its key."""
    key = decision_key(decision.classifier, decision.candidate, at=at)
    write_decision(s3, decision, bucket=bucket, key=key)
    return key


def write_decision(s3: "S3Client", decision: Decision, *, bucket: str, key: str) -> None:
    """Store a decision under a key of `decision_key`."""
    storage.write(s3, bucket=bucket, key=key, body=decision.document(), content_type="application/json")
    log.info("%s The decision is s3://%s/%s", decision.summary, bucket, key)


def version_of(s3: "S3Client", training_job: str, *, classifier: str, bucket: str) -> str | None:
    """Return the prefix of a job's data set version, from the part of the fingerprint in its name, or None.

    The name of a tuning job's training job does not have this part; its report names the version.
    """
    keys = Keys(classifier)
    if tuning_job_of(training_job):
        return _version_in_report(s3, training_job, keys=keys, bucket=bucket)
    begins = training_job.removeprefix(f"image-classifier-{classifier}-").partition("-")[0]
    prefix = f"{keys.dataset}versions/{begins}"
    found = {key.removeprefix(f"{keys.dataset}versions/").partition("/")[0] for key in _below(s3, bucket, prefix)}
    return keys.version(min(found)) if begins and found else None


def _version_in_report(s3: "S3Client", training_job: str, *, keys: Keys, bucket: str) -> str | None:
    """Return the prefix of the version in a report of the model; the tuning job's name contains the same version."""
    found = [key for key in _below(s3, bucket, f"{keys.evaluations}{training_job}/") if key.endswith(f"/{REPORT}")]
    stored = storage.read(s3, bucket=bucket, key=found[0]) if found else None
    return keys.version(Report.model_validate_json(stored[0]).dataset.fingerprint) if stored else None


def _compared(s3: "S3Client", candidate: Evaluation, champion: str) -> Compared:
    place = Evaluation(candidate.classifier, candidate.bucket, champion, candidate.fingerprint, candidate.test_manifest)
    ours = read_answers(s3, bucket=candidate.bucket, evaluation=candidate.prefix) or ()
    theirs = read_answers(s3, bucket=candidate.bucket, evaluation=place.prefix)
    if theirs is None:
        message = (
            f"The live model, {champion}, has no answers for these test images at {place.uri(place.prefix)}: it went "
            "live after they were scored. Run the Dag again."
        )
        raise EvaluationError(message)
    test = [image for image in candidate.images(s3) if image.split == "test"]
    allowed = eligible(map(_identity, test), learned_from=_learned(s3, candidate, champion, test))
    pairs = _pairs(ours, theirs, allowed)
    return Compared(pairs, excluded=len(test) - len(allowed))


def _learned(s3: "S3Client", candidate: Evaluation, champion: str, test: list[VersionImage]) -> list[Identity]:
    """Return the images in train or validation of either model; all test images if the champion's are unknown."""
    version = version_of(s3, champion, classifier=candidate.classifier, bucket=candidate.bucket)
    images = [*candidate.images(s3)]
    try:
        if version is None:
            raise DatasetError(f"the data set of {champion} is gone")
        images += version_images(s3, bucket=candidate.bucket, version=version)
    except DatasetError as error:
        log.warning("Nothing is known of what %s was trained on, so no test image is compared: %s", champion, error)
        return [_identity(image) for image in test]
    return [_identity(image) for image in images if image.split != "test"]


def _pairs(ours: tuple[Answer, ...], theirs: tuple[Answer, ...], allowed: frozenset[str]) -> tuple[Pair, ...]:
    champion = {answer.sha256: answer for answer in theirs}
    return tuple(
        Pair(answer.label, answer.is_right, champion[answer.sha256].predicted == answer.label)
        for answer in ours
        if answer.sha256 in allowed and answer.sha256 in champion
    )


def _identity(image: VersionImage) -> Identity:
    return Identity(image.sha256, image.group)


def _below(s3: "S3Client", bucket: str, prefix: str) -> list[str]:
    return list(storage.list_objects(s3, bucket=bucket, prefix=prefix))
