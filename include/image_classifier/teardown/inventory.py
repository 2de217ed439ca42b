"""Lists the resources of one classifier on AWS.

A resource belongs to a classifier if its name is, or begins with, the classifier's name and it has the tag
``image-classifier: <classifier>``: ``digits`` must not match the resources of ``digits-2``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from image_classifier.aws import names
from image_classifier.aws.client_errors import described
from image_classifier.aws.clients import Clients
from image_classifier.aws.ownership import our_endpoint_configs, our_endpoints, our_models
from image_classifier.connect.notification import KINDS
from image_classifier.connect.upload_queue import our_upload_queues
from image_classifier.contracts.record_keys import CHECK_FOLDER
from image_classifier.evaluate.transform_jobs import TRANSFORM_JOBS
from image_classifier.prepare.processing.jobs import PROCESSING_JOBS
from image_classifier.promote.registry import our_group, our_versions
from image_classifier.teardown.job_logs import JobLog, our_job_logs
from image_classifier.train.training_jobs import list_training_jobs_in_progress
from image_classifier.train.tuning.tuning_jobs import list_tuning_jobs_in_progress

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class Teardown:
    """The classifier to tear down, and what to keep."""

    classifier: str
    bucket: str
    keep_images: bool = False
    keep_models: bool = False
    keep_predictions: bool = False

    @property
    def kept_prefixes(self) -> tuple[str, ...]:
        """Return the prefixes whose objects are kept."""
        keys = names.Keys(self.classifier)
        choices = {
            keys.dataset: self.keep_images,
            keys.incoming: self.keep_images,
            keys.models: self.keep_models,
            f"{keys.root}checkpoints/": self.keep_models,
            keys.evaluations: self.keep_models,
            keys.promotions: self.keep_models,
            keys.predictions: self.keep_predictions,
            keys.thumbnails: self.keep_predictions,
            keys.predictions_log: self.keep_predictions,
            keys.predictions_index: self.keep_predictions,
            f"{keys.root}corrections/": self.keep_predictions,
        }
        return tuple(prefix for prefix, keep in choices.items() if keep)

    def keeps(self, key: str) -> bool:
        """Return whether an object is kept; the images of checks and canaries, and what was made of them, are not."""
        keys = names.Keys(self.classifier)
        folders = (keys.incoming, keys.predictions, keys.thumbnails)
        is_check = key.startswith(tuple(f"{folder}{CHECK_FOLDER}" for folder in folders))
        return key.startswith(self.kept_prefixes) and not is_check


@dataclass(frozen=True)
class Folder:
    """The object versions below one prefix; delete markers count as versions without bytes."""

    versions: int = 0
    size_bytes: int = 0


@dataclass(frozen=True)
class UnfinishedUpload:
    """An incomplete multipart upload: its parts cost, and listings of objects do not show them."""

    key: str
    upload_id: str


@dataclass(frozen=True)
class Inventory:
    """The resources of a classifier that will be deleted."""

    upload_triggers: tuple[str, ...] = ()
    upload_queues: tuple[str, ...] = ()
    tuning_jobs: tuple[str, ...] = ()
    training_jobs: tuple[str, ...] = ()
    transform_jobs: tuple[str, ...] = ()
    processing_jobs: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    endpoint_configs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    model_packages: tuple[str, ...] = ()
    model_package_groups: tuple[str, ...] = ()
    log_groups: tuple[str, ...] = ()
    job_logs: tuple[JobLog, ...] = ()
    unfinished_uploads: tuple[UnfinishedUpload, ...] = ()
    folders: Mapping[str, Folder] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of resources by kind."""
        return {
            "event notifications to remove": len(self.upload_triggers),
            "upload queues": len(self.upload_queues),
            "tuning jobs to stop": len(self.tuning_jobs),
            "training jobs to stop": len(self.training_jobs),
            "transform jobs to stop": len(self.transform_jobs),
            "processing jobs to stop": len(self.processing_jobs),
            "functions": len(self.functions),
            "endpoints": len(self.endpoints),
            "endpoint configs": len(self.endpoint_configs),
            "models": len(self.models),
            "model packages": len(self.model_packages),
            "model package groups": len(self.model_package_groups),
            "log groups": len(self.log_groups),
            "logs of jobs": len(self.job_logs),
            "unfinished uploads": len(self.unfinished_uploads),
            "object versions": sum(folder.versions for folder in self.folders.values()),
        }

    def as_table(self) -> str:
        """Return a text with one line per resource."""
        kinds: dict[str, Sequence[str]] = {
            "event notification": self.upload_triggers,
            "upload queue": self.upload_queues,
            "tuning job, to stop": self.tuning_jobs,
            "training job, to stop": self.training_jobs,
            "transform job, to stop": self.transform_jobs,
            "processing job, to stop": self.processing_jobs,
            "function": self.functions,
            "endpoint": self.endpoints,
            "endpoint config": self.endpoint_configs,
            "model": self.models,
            "model package": self.model_packages,
            "model package group": self.model_package_groups,
            "log group": self.log_groups,
            "log of a job": [str(one) for one in self.job_logs],
            "unfinished upload": [upload.key for upload in self.unfinished_uploads],
            "objects": [
                f"{prefix} ({folder.versions} versions, {folder.size_bytes / 1e6:.1f} MB)"
                for prefix, folder in self.folders.items()
            ],
        }
        lines = [f"{kind:<23} {name}" for kind, listed in kinds.items() for name in listed]
        return "\n".join(lines) or "nothing is there"


def inventory(clients: Clients, teardown: Teardown) -> Inventory:
    """List the resources that the teardown would delete; nothing is changed."""
    classifier = teardown.classifier
    functions = our_functions(clients.functions, classifier)
    return Inventory(
        upload_triggers=our_upload_triggers(clients.s3, bucket=teardown.bucket, classifier=classifier),
        upload_queues=our_upload_queues(clients.sqs, classifier=classifier),
        tuning_jobs=tuple(list_tuning_jobs_in_progress(clients.sagemaker, classifier=classifier)),
        training_jobs=tuple(list_training_jobs_in_progress(clients.sagemaker, classifier=classifier)),
        transform_jobs=tuple(TRANSFORM_JOBS.in_progress(clients.sagemaker, classifier=classifier)),
        processing_jobs=tuple(PROCESSING_JOBS.in_progress(clients.sagemaker, classifier=classifier)),
        functions=functions,
        endpoints=our_endpoints(clients.sagemaker, classifier),
        endpoint_configs=our_endpoint_configs(clients.sagemaker, classifier),
        models=() if teardown.keep_models else our_models(clients.sagemaker, classifier),
        model_packages=() if teardown.keep_models else our_versions(clients.sagemaker, classifier),
        model_package_groups=() if teardown.keep_models else our_group(clients.sagemaker, classifier),
        log_groups=our_log_groups(clients, classifier),
        job_logs=our_job_logs(clients, classifier),
        unfinished_uploads=unfinished_uploads(clients.s3, teardown),
        folders=folders(clients.s3, teardown),
    )


def our_upload_triggers(s3: "S3Client", *, bucket: str, classifier: str) -> tuple[str, ...]:
    """Return the id of the classifier's event notification; empty if there is none."""
    found: Mapping[str, Any] = {**s3.get_bucket_notification_configuration(Bucket=bucket)}
    entries = (entry for kind in KINDS for entry in found.get(kind, ()))
    return tuple(entry["Id"] for entry in entries if entry.get("Id") == names.notification_id(classifier))


def our_functions(functions: "LambdaClient", classifier: str) -> tuple[str, ...]:
    """Return the name of the classifier's function; empty if there is none, or if another owner's has the name."""
    name = names.function_name(classifier)
    tags = _function_tags(functions, name)
    return (name,) if tags is not None and tags.get(names.TAG) == classifier else ()


def our_log_groups(clients: Clients, classifier: str) -> tuple[str, ...]:
    """Return the log groups of function and endpoint; the jobs of an account share one group for each kind.

    A group of another owner's function or endpoint of that name is left out; a group itself has no owner.
    """
    function, endpoint = names.function_name(classifier), names.endpoint_name(classifier)
    wanted = set[str]()
    if _function_tags(clients.functions, function) is None or our_functions(clients.functions, classifier):
        wanted.add(names.function_log_group(classifier))
    found = described(lambda: clients.sagemaker.describe_endpoint(EndpointName=endpoint))
    if found is None or our_endpoints(clients.sagemaker, classifier):
        wanted.add(names.endpoint_log_group(endpoint))
    return tuple(
        group["logGroupName"]
        for prefix in sorted(wanted)
        for page in clients.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        for group in page["logGroups"]
        if group["logGroupName"] == prefix
    )


def unfinished_uploads(s3: "S3Client", teardown: Teardown) -> tuple[UnfinishedUpload, ...]:
    """Return the classifier's incomplete multipart uploads outside the kept prefixes."""
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=teardown.bucket, Prefix=names.Keys(teardown.classifier).root
    )
    found = [UnfinishedUpload(one["Key"], one["UploadId"]) for page in pages for one in page.get("Uploads", [])]
    return tuple(upload for upload in found if not teardown.keeps(upload.key))


def folders(s3: "S3Client", teardown: Teardown) -> dict[str, Folder]:
    """Return the object versions to delete, by prefix of the classifier; a file directly below its root is by key."""
    root, found = names.Keys(teardown.classifier).root, dict[str, Folder]()
    for version in doomed_versions(s3, teardown):
        name, slash, _ = version["Key"].removeprefix(root).partition("/")
        prefix = f"{root}{name}{slash}"
        before = found.get(prefix, Folder())
        found[prefix] = Folder(before.versions + 1, before.size_bytes + version.get("Size", 0))
    return dict(sorted(found.items()))


def doomed_versions(s3: "S3Client", teardown: Teardown) -> Iterator[dict[str, Any]]:
    """Yield every object version and delete marker of the classifier that is not kept, with ``Key``, ``VersionId``."""
    root = names.Keys(teardown.classifier).root
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=teardown.bucket, Prefix=root):
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            if not teardown.keeps(version["Key"]):
                yield dict(version)


def _function_tags(functions: "LambdaClient", name: str) -> Mapping[str, str] | None:
    try:
        return functions.get_function(FunctionName=name).get("Tags", {})
    except functions.exceptions.ResourceNotFoundException:
        return None
