"""Computes every name and S3 key of a classifier from its purpose and content, never from a clock."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

CLASSIFIER_NAME = re.compile(
    r"[a-z]([a-z0-9-]{0,22}[a-z0-9])?"
)  # goes into names of at most 63 characters, and ends one
PREFIX = "image-classifier-"  # policies name resources by it
TAG = "image-classifier"  # every resource carries it, with the classifier's name as value
DAG_TAG, RUN_TAG, TASK_TAG = f"{TAG}-dag", f"{TAG}-run", f"{TAG}-task"  # who follows a training job
STOPPED_TAG = f"{TAG}-stopped"  # why a training job was stopped that nobody followed any longer
OUR_TAGS = (TAG, DAG_TAG, RUN_TAG, TASK_TAG, STOPPED_TAG)
MOST_ATTEMPTS = 999  # a training job's name has room for three digits


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
        """Return the prefix of a split's prepared images, which is the root of the channel."""
        return f"{self.dataset}{split}/"

    def version(self, fingerprint: str) -> str:
        """Return the prefix of one data set version: its lists, labels, report and manifest."""
        return f"{self.dataset}versions/{fingerprint}/"

    @property
    def models(self) -> str:
        return f"{self.root}models/"

    def model_file(self, training_job: str) -> str:
        """Return the key of model.json; the function finds it by the variant, which is named after the training job."""
        return f"{self.models}{training_job}/model.json"

    @property
    def evaluations(self) -> str:
        return f"{self.root}evaluations/"

    def evaluation(self, training_job: str, *, test_manifest: str) -> str:
        """Prefix of one model's evaluation on one set of test images, by the sha256 of its manifest."""
        return f"{self.evaluations}{training_job}/{test_manifest[:8]}/"

    @property
    def promotions(self) -> str:
        """Every decision about a model, ``<time>-<training job>.json``."""
        return f"{self.root}promotions/"

    def checkpoints(self, training_job: str) -> str:
        return f"{self.root}checkpoints/{training_job}/"

    def function_zip(self, sha256: str) -> str:
        return f"{self.root}functions/{sha256}.zip"

    @property
    def incoming(self) -> str:
        """The only prefix whose uploads are classified."""
        return f"{self.root}incoming/"

    @property
    def written(self) -> tuple[str, ...]:
        """Return every prefix that the package itself writes to."""
        folders = (
            self.dataset,
            self.models,
            self.checkpoints(""),
            self.evaluations,
            self.promotions,
            f"{self.root}functions/",
            self.predictions,
            self.thumbnails,
            self.predictions_log,
            self.predictions_index,
            self.corrections,
        )
        return tuple(f"{folder.rstrip('/')}/" for folder in folders)

    @property
    def predictions(self) -> str:
        """Never below ``incoming``: a record written there would trigger the function again."""
        return f"{self.root}predictions/"

    @property
    def corrections(self) -> str:
        """What people say about predictions, under the same keys as the records."""
        return f"{self.root}corrections/"

    @property
    def thumbnails(self) -> str:
        """The thumbnails of classified images, which the function writes."""
        return f"{self.root}thumbnails/"

    @property
    def predictions_log(self) -> str:
        """One small object per record, named by time; they are deleted once they stand in the index."""
        return f"{self.root}predictions-log/"

    @property
    def deployment(self) -> str:
        """What was deployed last; see `image_classifier.connect.deployment`."""
        return f"{self.root}deployment.json"

    @property
    def question(self) -> str:
        """The question to a person that is open; see `image_classifier.promote.approval`."""
        return f"{self.root}question.json"

    @property
    def announced(self) -> str:
        """Which versions other Dags have been told of; see `image_classifier.promote.announced`."""
        return f"{self.root}announced.json"

    @property
    def corrections_run(self) -> str:
        """Up to which correction a run was started; see `image_classifier.corrections.due`."""
        return f"{self.root}corrections-run.json"

    @property
    def watch_state(self) -> str:
        """What the watch Dag remembers between its runs."""
        return f"{self.root}watch/state.json"

    @property
    def watch_seen(self) -> str:
        """What the watch Dag saw last, for the pages."""
        return f"{self.root}watch/seen.json"

    @property
    def predictions_index(self) -> str:
        """The records of each day: ``<day>/part-*.jsonl.gz``."""
        return f"{self.root}predictions-index/"


def training_job_name(
    classifier: str,
    *,
    fingerprint: str,
    hyperparameters: Mapping[str, str],
    own_image: str = "",
) -> str:
    """Name of the first job that trains this classifier on this data set with these settings.

    The same arguments give the same name, so a job that exists is found and not paid for twice. Another ``own_image``
    makes another model. At most 59 characters: see `attempt_name`.
    """
    # The empty string is what jobs have been named with that were trained already; without it they would train again.
    settings = _digest([dict(hyperparameters), "", *([own_image] if own_image else [])])
    return f"{PREFIX}{classifier}-{fingerprint[:8]}-{settings[:8]}"


def incremental_job_name(first: str) -> str:
    """Name of the job that trains the same as the job ``first``, and starts from a model; as long as that name."""
    rest, _, settings = first.rpartition("-")
    return f"{rest}-{_digest([settings, 'start_from: champion'])[:8]}"


def attempt_name(first: str, number: int) -> str:
    """Name of attempt `number` at the job whose first attempt is named `first`."""
    return first if number == 1 else f"{first}-{number}"


def attempt_number(first: str, name: str) -> int:
    """The number in a name that `attempt_name` made."""
    return 1 if name == first else int(name.removeprefix(f"{first}-"))


def is_training_job(name: str, *, classifier: str) -> bool:
    """Whether a job is this classifier's: "cat" must not find the jobs of "cat-breeds"."""
    pattern = rf"{PREFIX}{re.escape(classifier)}-[0-9a-f]{{8}}-[0-9a-f]{{8}}(-[0-9]{{1,3}})?"
    return re.fullmatch(pattern, name) is not None


def model_name(classifier: str, spec: object) -> str:
    """Name of the model with exactly this JSON-serialisable specification, which may be gone back to unchanged."""
    return f"{PREFIX}{classifier}-{_digest(spec)[:16]}"


def job_name(classifier: str, spec: object) -> str:
    """Name of the transform or processing job with exactly this JSON-serialisable specification."""
    return f"{PREFIX}{classifier}-{_digest(spec)[:16]}"


def is_job(name: str, *, classifier: str) -> bool:
    """Whether a job is this classifier's: "cat" must not find the jobs of "cat-breeds"."""
    return re.fullmatch(rf"{PREFIX}{re.escape(classifier)}-[0-9a-f]{{16}}", name) is not None


def tuning_job_name(classifier: str, spec: object) -> str:
    """Name of the tuning job with exactly this JSON-serialisable specification; AWS allows 32 characters.

    SageMaker names its training jobs after it: ``<tuning job>-001-<8 hex>``.
    """
    return f"{PREFIX}{_digest([classifier, spec])[:15]}"


def is_tuning_job(name: str) -> bool:
    """Whether a tuning job has such a name; whose it is, its tags say."""
    return re.fullmatch(rf"{PREFIX}[0-9a-f]{{15}}", name) is not None


def tuning_job_of(training_job: str) -> str | None:
    """Return the name of the tuning job that started a training job of this name, or None if none did."""
    found = re.fullmatch(rf"({PREFIX}[0-9a-f]{{15}})-[0-9]{{3,}}-[0-9a-f]{{8}}", training_job)
    return found[1] if found else None


def model_package_group_name(classifier: str) -> str:
    """Name of the group of the classifier's model packages."""
    return f"{PREFIX}{classifier}"


def endpoint_config_name(classifier: str, spec: object) -> str:
    """Name of the endpoint config with exactly this JSON-serialisable specification."""
    return f"{PREFIX}{classifier}-{_digest(spec)[:16]}"


def endpoint_name(classifier: str) -> str:
    """The endpoint's name; it never changes."""
    return f"{PREFIX}{classifier}"


def function_name(classifier: str) -> str:
    """The inference function's name; it never changes."""
    return f"{PREFIX}{classifier}"


def function_log_group(classifier: str) -> str:
    """Where Lambda writes the inference function's logs."""
    return f"/aws/lambda/{function_name(classifier)}"


def endpoint_log_group(endpoint: str) -> str:
    """Where SageMaker writes the logs of an endpoint's containers."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def notification_id(classifier: str) -> str:
    """Id of our own entry among the bucket's event notifications."""
    return f"{PREFIX}{classifier}"


def tags(classifier: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The tags of every resource of a classifier."""
    return {**extra, TAG: classifier}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
