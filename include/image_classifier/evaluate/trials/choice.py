"""Chooses the model that is best on the validation images, and stores the table of all training jobs."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.classifier.tuning import Numbers, Tuning
from image_classifier.evaluate.answers import Answer
from image_classifier.evaluate.proportions import proportion
from image_classifier.evaluate.report.model import TrialFigures, TuningFigures
from image_classifier.train.tuning.trials import Trial

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

SMALLEST = 1e-12  # takes the place of a probability that the model rounded to zero
DIGITS = 6


def trial_figures(
    trial: Trial, answers: Sequence[Answer] | None, *, labels: Sequence[str], is_default: bool, billable_s: int | None
) -> TrialFigures:
    """Return the figures of one trained model.

    Args:
        trial: the training job.
        answers: the model's answers for the validation images; None if it was not scored.
        labels: the labels by class index.
        is_default: whether it has the hyperparameters of the classifier's file.
        billable_s: the seconds that AWS bills for it, summed over its instances.

    """
    scored = {} if answers is None else _scored(answers, labels)
    return TrialFigures(
        training_job=trial.training_job,
        hyperparameters=trial.hyperparameters,
        status=trial.status,
        last_epoch_accuracy=trial.last_epoch_accuracy,
        is_default=is_default,
        billable_s=billable_s,
        **scored,
    )


def choose(trials: Sequence[TrialFigures]) -> TrialFigures:
    """Return the most accurate of the scored models; of equal ones that with the lower log loss, then the first.

    The first has the hyperparameters of the classifier's file, so only a better model can replace it.
    """
    scored = [trial for trial in trials if trial.validation is not None]
    return max(scored, key=lambda trial: (trial.validation.value if trial.validation else 0.0, -(trial.log_loss or 0)))


def tuning_figures(tuning: Tuning, *, tuning_job: str, trials: Sequence[TrialFigures]) -> TuningFigures:
    """Return the table of a search, with the chosen model."""
    return TuningFigures(
        tuning_job=tuning_job,
        strategy=tuning.strategy,
        max_jobs=tuning.max_jobs,
        max_parallel=tuning.max_parallel,
        early_stopping=tuning.early_stopping,
        ranges={name: _searched(searched) for name, searched in tuning.ranges.items()},
        trials=tuple(trials),
        chosen=choose(trials).training_job,
    )


def write_tuning(s3: "S3Client", figures: TuningFigures, *, classifier: str, bucket: str) -> str:
    """Store the table beside the evaluations; return its S3 key."""
    key = _key(classifier, figures.tuning_job)
    body = figures.model_dump_json(indent=1).encode()
    storage.write(s3, bucket=bucket, key=key, body=body, content_type="application/json")
    log.info("The table of the tuning job is s3://%s/%s", bucket, key)
    return key


def stored_tuning(s3: "S3Client", *, classifier: str, bucket: str, tuning_job: str) -> TuningFigures | None:
    """Return the stored table, or None before a model was chosen."""
    found = storage.read(s3, bucket=bucket, key=_key(classifier, tuning_job))
    return TuningFigures.model_validate_json(found[0]) if found else None


def as_table(figures: TuningFigures) -> str:
    """Return a text table of the models that were scored on the validation images, for the task's log."""
    lines = []
    for trial in figures.trials:
        if trial.validation is not None:
            mark = "chosen" if trial.training_job == figures.chosen else ""
            kind = "the file's hyperparameters" if trial.is_default else _told(trial.hyperparameters)
            part = trial.validation
            accuracy = f"{part.value:.1%} ({part.low:.1%} to {part.high:.1%})"
            lines.append(f"{trial.training_job:<60}  {accuracy:<24}  {kind}  {mark}".rstrip())
    return "\n".join(lines)


def _scored(answers: Sequence[Answer], labels: Sequence[str]) -> dict[str, Any]:
    index = {label: place for place, label in enumerate(labels)}
    losses = [-math.log(max(one.probabilities[index[one.label]], SMALLEST)) for one in answers]
    return {
        "validation": proportion(sum(one.is_right for one in answers), len(answers)),
        "log_loss": round(sum(losses) / len(losses), DIGITS),
    }


def _searched(searched: Numbers | tuple[str, ...]) -> str:
    if isinstance(searched, Numbers):
        return f"{searched.min:g} to {searched.max:g}, {searched.scaling}"
    return ", ".join(searched)


def _told(hyperparameters: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(hyperparameters.items()))


def _key(classifier: str, tuning_job: str) -> str:
    return f"{Keys(classifier).evaluations}{tuning_job}/trials.json"
