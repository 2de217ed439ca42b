"""Lists the messages with which training jobs fail, and the remedy for each.

The messages come from AWS's documentation, from published logs and issues, and from our own program, which uses the
same ones. For any other message the remedy is to read the job's log.
"""

import re
from dataclasses import dataclass
from typing import Literal

from image_classifier.train.job_log import LOG_GROUP


@dataclass(frozen=True)
class KnownFailure:
    """A message, its remedy, and whether the remedy is in the request; if not, the same request may succeed later."""

    message: re.Pattern[str]
    remedy: str
    applies_to: Literal["request", "elsewhere"] = "request"


def _known(message: str, remedy: str, *, applies_to: Literal["request", "elsewhere"] = "request") -> KnownFailure:
    return KnownFailure(re.compile(message, re.IGNORECASE), remedy, applies_to)


FAILURES = (
    _known(
        r"number of input images must be bigger or equal to the mini_batch_size",
        "Lower mini_batch_size, or add images: the training and the validation images must each fill one batch.",
    ),
    _known(
        r"Mismatch between number of labels .* and the num_classes parameter",
        "The image lists and num_classes disagree: run the Dag from its first task on, which counts the classes anew.",
    ),
    _known(
        r"Empty \.(rec|lst) file|No image of the \w+ channel can be read",
        "None of the images could be read: look at the data set's report.json, and at the images themselves.",
    ),
    _known(
        r"resize is required when the images are given as files",
        "Set the hyperparameter resize to image_shape's side, as the classifiers' Dags do.",
    ),
    _known(
        r"Additional properties are not allowed|caused by ValidationError|is not one of \[|is not valid under any",
        "The algorithm does not take this hyperparameter or its value: correct it in the file or the form.",
    ),
    _known(
        r"loss is not a number|training diverged",
        "Lower learning_rate, for instance to a tenth of what it is.",
    ),
    _known(
        r"out of memory",
        "The batch does not fit the machine's memory: halve mini_batch_size, choose a smaller num_layers or "
        "image_shape, or an instance type with more memory.",
    ),
    _known(
        r"No space left on device",
        "Raise volume_size_gb: the algorithm writes a second copy of all images, and the checkpoints, to it.",
    ),
    _known(
        r"model in the \w+ channel",
        "Training goes on only from a model of the same num_layers, image_shape and num_classes: leave it out.",
    ),
    _known(
        r"Access ?Denied|not authorized|Forbidden|\b403\b|cannot assume|could not assume|AssumeRole",
        "The training role lacks a right: compare IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN with the stack's role, which has "
        "all it needs; a bucket or key of one's own must admit it too.",
        applies_to="elsewhere",
    ),
    _known(
        r"KMS\w*Exception|kms:\w+|KMS key",
        "The training role may not use the KMS key: let the key's policy admit it.",
        applies_to="elsewhere",
    ),
    _known(
        r"No S3 objects found|NoSuchKey|NoSuchBucket|Data download failed",
        "Images of the lists are not in the bucket: run the Dag from its first task on, which uploads them again.",
        applies_to="elsewhere",
    ),
    _known(
        r"subnet|security group|ENI\b|network interface",
        "The job's network does not let it start: check vpc_config, and that the subnets have free addresses.",
        applies_to="elsewhere",
    ),
    _known(
        r"host of this job|host \S+ of this job",
        "The machines of the job lost each other: run again.",
        applies_to="elsewhere",
    ),
    _known(
        r"\becr\b|CannotPullContainer|pull.*image|image.*pull",
        "SageMaker cannot fetch the algorithm's image: check that it exists in this region and that the role may read "
        "its repository.",
        applies_to="elsewhere",
    ),
)


def cause_of(reason: str) -> str:
    """Return AWS's sentence without the error kind that precedes it."""
    sentence = re.sub(r"^(ClientError|AlgorithmError|InternalServerError): *", "", reason).strip()
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def remedy_for(reason: str, *, job: str) -> str:
    """Return the remedy for a failure, in one sentence."""
    known = _find(reason)
    return known.remedy if known else f"The job's log says more: CloudWatch, {LOG_GROUP}, {job}/."


def is_remedied_elsewhere(reason: str) -> bool:
    """Return whether the remedy is outside the request, so that the same request may succeed later."""
    known = _find(reason)
    return known is not None and known.applies_to == "elsewhere"


def _find(reason: str) -> KnownFailure | None:
    return next((known for known in FAILURES if known.message.search(reason)), None)
