"""Computes every name and S3 key of a classifier from its purpose and content, never from a clock."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

CLASSIFIER_NAME = re.compile(
    r"[a-z]([a-z0-9-]{0,22}[a-z0-9])?"
)  # part of names of at most 63 characters, and the end of some
PREFIX = "image-classifier-"  # policies select resources by this prefix
TAG = "image-classifier"  # every resource carries it, with the classifier's name as value
DAG_TAG, RUN_TAG, TASK_TAG = f"{TAG}-dag", f"{TAG}-run", f"{TAG}-task"  # the task that waits for a training job
STOPPED_TAG = f"{TAG}-stopped"  # why a training job was stopped that no task waited for
OUR_TAGS = (TAG, DAG_TAG, RUN_TAG, TASK_TAG, STOPPED_TAG)
MOST_ATTEMPTS = 999  # a training job's name has three digits for it


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
    def listings(self) -> str:
        """The listings of sources while their images are prepared."""
        return f"{self.dataset}listing/"

    def listing(self, run: str) -> str:
        """Return the prefix of one listing; see `image_classifier.prepare.shards.listing`."""
        return f"{self.listings}{run}/"

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
        """Return the prefix of a model's evaluation on the test images with this SHA-256 of their manifest."""
        return f"{self.evaluations}{training_job}/{test_manifest[:8]}/"

    @property
    def promotions(self) -> str:
        """Return the prefix of all decisions about models, ``<time>-<training job>.json``."""
        return f"{self.root}promotions/"

    def checkpoints(self, training_job: str) -> str:
        return f"{self.root}checkpoints/{training_job}/"

    def function_zip(self, sha256: str) -> str:
        return f"{self.root}functions/{sha256}.zip"

    @property
    def incoming(self) -> str:
        """Return the only prefix whose uploads are classified."""
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
        """Return the prefix of the records; it is not below ``incoming``, where a record would trigger the function."""
        return f"{self.root}predictions/"

    @property
    def corrections(self) -> str:
        """Return the prefix of people's corrections, which have the same keys as the records."""
        return f"{self.root}corrections/"

    @property
    def thumbnails(self) -> str:
        """Return the prefix of the thumbnails, which the function writes."""
        return f"{self.root}thumbnails/"

    @property
    def predictions_log(self) -> str:
        """Return the prefix of the log entries, one per record, named by time; the index replaces them later."""
        return f"{self.root}predictions-log/"

    @property
    def deployment(self) -> str:
        """Return the key of the record of the last deployment; see `image_classifier.connect.deployment`."""
        return f"{self.root}deployment.json"

    @property
    def question(self) -> str:
        """Return the key of the open question to a person; see `image_classifier.promote.approval`."""
        return f"{self.root}question.json"

    @property
    def announced(self) -> str:
        """Return the key of the versions that asset events announced; see `image_classifier.promote.announced`."""
        return f"{self.root}announced.json"

    @property
    def corrections_run(self) -> str:
        """Return the key of the last correction that started a run; see `image_classifier.corrections.due`."""
        return f"{self.root}corrections-run.json"

    @property
    def watch_state(self) -> str:
        """Return the key of the watch Dag's state between its runs."""
        return f"{self.root}watch/state.json"

    @property
    def watch_seen(self) -> str:
        """Return the key of the watch Dag's last findings, which the pages show."""
        return f"{self.root}watch/seen.json"

    @property
    def predictions_index(self) -> str:
        """Return the prefix of the daily index of records: ``<day>/part-*.jsonl.gz``."""
        return f"{self.root}predictions-index/"

    @property
    def deleted_marks(self) -> str:
        """Return the prefix of the marks of deleted images; see `image_classifier.watch.deleted`."""
        return f"{self.predictions_index}deleted-"


def training_job_name(
    classifier: str,
    *,
    fingerprint: str,
    hyperparameters: Mapping[str, str],
    own_image: str = "",
) -> str:
    """Return the name of the first job that trains this classifier on this data set with these settings.

    The same arguments give the same name, so an existing job is found and not paid for twice. Another ``own_image``
    makes another model. The name has at most 59 characters: `attempt_name` adds to it.
    """
    # The names of existing jobs were computed with the empty string; without it these models would be trained again.
    settings = _digest([dict(hyperparameters), "", *([own_image] if own_image else [])])
    return f"{PREFIX}{classifier}-{fingerprint[:8]}-{settings[:8]}"


def incremental_job_name(first: str) -> str:
    """Return the name of the job with the settings of the job ``first`` that starts from a model; it is as long."""
    rest, _, settings = first.rpartition("-")
    return f"{rest}-{_digest([settings, 'start_from: champion'])[:8]}"


def attempt_name(first: str, number: int) -> str:
    """Return the name of attempt `number` at the job whose first attempt is named `first`."""
    return first if number == 1 else f"{first}-{number}"


def attempt_number(first: str, name: str) -> int:
    """Return the attempt's number in a name that `attempt_name` made."""
    return 1 if name == first else int(name.removeprefix(f"{first}-"))


def is_training_job(name: str, *, classifier: str) -> bool:
    """Return whether a job belongs to this classifier: "cat" must not match the jobs of "cat-breeds"."""
    pattern = rf"{PREFIX}{re.escape(classifier)}-[0-9a-f]{{8}}-[0-9a-f]{{8}}(-[0-9]{{1,3}})?"
    return re.fullmatch(pattern, name) is not None


def model_name(classifier: str, spec: object) -> str:
    """Return the name of the model with exactly this JSON-serialisable specification."""
    return f"{PREFIX}{classifier}-{_digest(spec)[:16]}"


def job_name(classifier: str, spec: object) -> str:
    """Return the name of the transform or processing job with exactly this JSON-serialisable specification."""
    return f"{PREFIX}{classifier}-{_digest(spec)[:16]}"


def is_job(name: str, *, classifier: str) -> bool:
    """Return whether a job belongs to this classifier: "cat" must not match the jobs of "cat-breeds"."""
    return re.fullmatch(rf"{PREFIX}{re.escape(classifier)}-[0-9a-f]{{16}}", name) is not None


def tuning_job_name(classifier: str, spec: object) -> str:
    """Return the name of the tuning job with exactly this JSON-serialisable specification; AWS allows 32 characters.

    SageMaker names its training jobs after it: ``<tuning job>-001-<8 hex>``.
    """
    return f"{PREFIX}{_digest([classifier, spec])[:15]}"


def is_tuning_job(name: str) -> bool:
    """Return whether a name has the form of our tuning jobs; the job's tags name its classifier."""
    return re.fullmatch(rf"{PREFIX}[0-9a-f]{{15}}", name) is not None


def tuning_job_of(training_job: str) -> str | None:
    """Return the name of the tuning job that started a training job of this name, or None if none did."""
    found = re.fullmatch(rf"({PREFIX}[0-9a-f]{{15}})-[0-9]{{3,}}-[0-9a-f]{{8}}", training_job)
    return found[1] if found else None


def model_package_group_name(classifier: str) -> str:
    """Return the name of the classifier's model package group."""
    return f"{PREFIX}{classifier}"


def endpoint_config_name(classifier: str, spec: object) -> str:
    """Return the name of the endpoint config with exactly this JSON-serialisable specification."""
    return f"{PREFIX}{classifier}-{_digest(spec)[:16]}"


def endpoint_name(classifier: str) -> str:
    """Return the endpoint's name, which never changes."""
    return f"{PREFIX}{classifier}"


def function_name(classifier: str) -> str:
    """Return the inference function's name, which never changes."""
    return f"{PREFIX}{classifier}"


def function_log_group(classifier: str) -> str:
    """Return the log group of the inference function."""
    return f"/aws/lambda/{function_name(classifier)}"


def endpoint_log_group(endpoint: str) -> str:
    """Return the log group of an endpoint's containers."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def notification_id(classifier: str) -> str:
    """Return the id of the classifier's entry among the bucket's event notifications."""
    return f"{PREFIX}{classifier}"


def tags(classifier: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of every resource of a classifier."""
    return {**extra, TAG: classifier}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
