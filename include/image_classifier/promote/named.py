"""Checks, before anything is paid, that a run which names a version to promote has that version's model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from image_classifier.aws.client_errors import described
from image_classifier.aws.names import model_package_group_name
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.promote.registry import names_model
from image_classifier.train import attempts
from image_classifier.train.tuning import tuning_jobs

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

Run = tuple[str, str]  # a Dag's and a run's id


def check_names(sagemaker: "SageMakerClient", wanted: str, *, training_job: str, classifier: str) -> None:
    """Check that `wanted`, a training job or a number in the registry, is the model of this training job.

    Raises:
        ClassifierFileError: it names another model.

    """
    group = model_package_group_name(classifier)
    has_group = described(lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=group)) is not None
    if wanted == training_job or (has_group and names_model(sagemaker, wanted, training_job=training_job, group=group)):
        return
    message = (
        f"promote_version is {wanted!r}, and the model of these images and settings is {training_job}: run "
        "image_classifier_roll_back to bring back another."
    )
    raise ClassifierFileError(message)


def check_before_training(
    sagemaker: "SageMakerClient",
    s3: "S3Client",
    wanted: str,
    *,
    classifier: str,
    planned: Mapping[str, Any],
    only_of_run: Run | None,
) -> None:
    """Check that a run will have the model that it names; with `tuning`, that it searches nothing.

    Args:
        sagemaker: the client; it only describes.
        s3: says whether the artifacts of completed jobs exist.
        wanted: a training job or a number in the registry.
        classifier: whose.
        planned: ``config``, ``alternatives``, ``accept_time_limit`` and, if the classifier tunes, ``tuning``, as the
            tasks that train get them.
        only_of_run: a Dag's and a run's id, if the run wants a job of its own.

    Raises:
        ClassifierFileError: it would train another model.
        TrainingError: another attempt at the training job would end like the last.

    """
    attempt = attempts.plan_attempt(
        sagemaker,
        planned["config"],
        s3=s3,
        alternatives=planned["alternatives"],
        accept_time_limit=planned["accept_time_limit"],
        only_of_run=only_of_run,
    )
    tuning = planned.get("tuning")
    if not tuning:
        check_names(sagemaker, wanted, training_job=attempt.job_name, classifier=classifier)
        return
    search = tuning_jobs.plan_attempt(
        sagemaker,
        tuning["request"],
        s3=s3,
        classifier=classifier,
        training_job=planned["config"]["TrainingJobName"],
        only_of_run=only_of_run,
    )
    if "start" in (attempt.action, search.action):
        message = (
            f"promote_version is {wanted!r}, and no search with these images and settings has ended: run "
            "image_classifier_roll_back to bring back a model, or leave promote_version empty."
        )
        raise ClassifierFileError(message)
