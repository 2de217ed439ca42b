"""Every name and S3 key of a classifier, in one place: computed from what it is for, never from a clock."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

CLASSIFIER_NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")  # goes into names of at most 63 characters
PREFIX = "image-classifier-"  # policies name resources by it
TAG = "image-classifier"  # every resource carries it, with the classifier's name as value


@dataclass(frozen=True)
class Keys:
    """The S3 keys of one classifier, relative to the bucket. Every prefix ends in a slash."""

    classifier: str

    @property
    def root(self) -> str:
        return f"{self.classifier}/"

    @property
    def dataset(self) -> str:
        return f"{self.root}dataset/"

    def split(self, split: str) -> str:
        """Prefix of the prepared images of ``train`` or ``validation``; the channel's root."""
        return f"{self.dataset}{split}/"

    def version(self, fingerprint: str) -> str:
        """Prefix of one dataset version: its lists, labels, report and manifest."""
        return f"{self.dataset}versions/{fingerprint}/"

    @property
    def models(self) -> str:
        return f"{self.root}models/"

    def model_file(self, training_job: str) -> str:
        """Labels and pixels of one training job's model, where the function finds them by the variant that answered."""
        return f"{self.models}{training_job}/model.json"

    def checkpoints(self, training_job: str) -> str:
        return f"{self.root}checkpoints/{training_job}/"

    def function_zip(self, sha256: str) -> str:
        return f"{self.root}functions/{sha256}.zip"

    @property
    def incoming(self) -> str:
        """The only prefix whose uploads are classified."""
        return f"{self.root}incoming/"

    @property
    def predictions(self) -> str:
        """Never below ``incoming``: a record written there would trigger the function again."""
        return f"{self.root}predictions/"


def training_job_name(
    classifier: str,
    *,
    fingerprint: str,
    hyperparameters: Mapping[str, str],
    force: str = "",
    own_image: str = "",
) -> str:
    """Name of the job that trains this classifier on this data set with these settings.

    The same arguments give the same name, so a job that exists is found and not paid for twice. ``force`` (a run's id)
    asks for a job of its own; another ``own_image`` makes another model. At most 59 characters: a later attempt at the
    same job appends its number, see `training.for_attempt`.
    """
    settings = _digest([dict(hyperparameters), force, *([own_image] if own_image else [])])
    return f"{PREFIX}{classifier}-{fingerprint[:8]}-{settings[:8]}"


def model_name(classifier: str, spec: object) -> str:
    """Name of the model with exactly this JSON-serialisable specification, which may be gone back to unchanged."""
    return f"{PREFIX}{classifier}-{_digest(spec)[:16]}"


def endpoint_config_name(classifier: str, spec: object) -> str:
    """Name of the endpoint config with exactly this JSON-serialisable specification."""
    return f"{PREFIX}{classifier}-{_digest(spec)[:16]}"


def endpoint_name(classifier: str) -> str:
    """The endpoint's name; it never changes."""
    return f"{PREFIX}{classifier}"


def function_name(classifier: str) -> str:
    """The inference function's name; it never changes."""
    return f"{PREFIX}{classifier}"


def notification_id(classifier: str) -> str:
    """Id of our own entry among the bucket's event notifications."""
    return f"{PREFIX}{classifier}"


def tags(classifier: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The tags of every resource of a classifier."""
    return {**extra, TAG: classifier}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
