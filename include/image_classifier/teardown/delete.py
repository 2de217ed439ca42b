"""Deletes the resources of one classifier, in an order in which nothing is created again; steps can be repeated."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from image_classifier.aws.client_errors import delete
from image_classifier.aws.clients import Clients
from image_classifier.aws.jobs.kinds import TRAINING_JOB, TUNING_JOB
from image_classifier.aws.names import CLASSIFIER_NAME
from image_classifier.aws.ownership import our_endpoint_configs, our_endpoints, our_models
from image_classifier.aws.retry import repeat_until
from image_classifier.aws.versions import delete_versions
from image_classifier.connect import notification
from image_classifier.connect.upload_queue import delete_upload_queue
from image_classifier.contracts.errors import ClassifierFileError, ResourceBusyError
from image_classifier.deploy.endpoint import describe_endpoint
from image_classifier.evaluate.transform_jobs import TRANSFORM_JOBS
from image_classifier.prepare.processing.jobs import PROCESSING_JOBS
from image_classifier.promote.registry import delete_registry
from image_classifier.teardown.inventory import (
    Inventory,
    Teardown,
    doomed_versions,
    inventory,
    our_functions,
    our_log_groups,
    unfinished_uploads,
)
from image_classifier.teardown.job_logs import our_job_logs
from image_classifier.train.training_jobs import list_training_jobs_in_progress
from image_classifier.train.tuning.tuning_jobs import list_tuning_jobs_in_progress

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)

POLL_S = 10.0
MOST_POLLS = 120


def check_confirmed(classifier: str, *, confirm: str) -> None:
    """Check that the name was typed twice and is a valid classifier name.

    Raises:
        ClassifierFileError: the names differ or are not valid; nothing was deleted.

    """
    if CLASSIFIER_NAME.fullmatch(classifier) is None:
        raise ClassifierFileError(f"classifier is {classifier!r}, which no classifier is called. Nothing was deleted.")
    if classifier != confirm:
        message = f"confirm is {confirm!r}, classifier is {classifier!r}; type one name twice. Nothing was deleted."
        raise ClassifierFileError(message)


def delete_upload_trigger(clients: Clients, teardown: Teardown) -> None:
    """Delete the event notification first, so that no upload starts a function that is being deleted."""
    notification.delete_upload_trigger(
        clients.functions, clients.s3, bucket=teardown.bucket, classifier=teardown.classifier
    )
    delete_upload_queue(clients.sqs, clients.functions, classifier=teardown.classifier)


def stop_training_jobs(clients: Clients, teardown: Teardown) -> None:
    """Stop tuning and training jobs and wait for their end, because a stopping job still uploads its model.

    Tuning jobs are stopped first, because they would start other training jobs.

    Raises:
        ResourceBusyError: a job takes too long to stop.

    """
    tuning = partial(list_tuning_jobs_in_progress, clients.sagemaker, classifier=teardown.classifier)
    for tuning_job in tuning():
        TUNING_JOB.stop(clients.sagemaker, tuning_job)
    _await(lambda: not tuning(), what=f"A tuning job of {teardown.classifier} is still being stopped")
    in_progress = partial(list_training_jobs_in_progress, clients.sagemaker, classifier=teardown.classifier)
    for job in in_progress():
        TRAINING_JOB.stop(clients.sagemaker, job)
    _await(lambda: not in_progress(), what=f"A training job of {teardown.classifier} is still being stopped")


def stop_transform_jobs(clients: Clients, teardown: Teardown) -> None:
    """Stop transform jobs; a stopped one writes no results."""
    for job in TRANSFORM_JOBS.in_progress(clients.sagemaker, classifier=teardown.classifier):
        TRANSFORM_JOBS.kind.stop(clients.sagemaker, job)


def stop_processing_jobs(clients: Clients, teardown: Teardown) -> None:
    """Stop what prepares images, and wait: a job that is being stopped still writes some.

    Raises:
        ResourceBusyError: a job takes too long to stop.

    """
    in_progress = partial(PROCESSING_JOBS.in_progress, clients.sagemaker, classifier=teardown.classifier)
    for job in in_progress():
        PROCESSING_JOBS.kind.stop(clients.sagemaker, job)
    _await(lambda: not in_progress(), what=f"A processing job of {teardown.classifier} is still being stopped")


def delete_function(clients: Clients, teardown: Teardown) -> None:
    """Delete the function with its versions and its alias."""
    for name in our_functions(clients.functions, teardown.classifier):
        clients.functions.delete_function(FunctionName=name)
        log.info("Function %s deleted", name)


def delete_endpoint(clients: Clients, teardown: Teardown) -> None:
    """Delete the endpoint and wait for the end, because its config may only be deleted after it.

    Raises:
        ResourceBusyError: its creation, update or deletion takes too long.

    """
    for name in our_endpoints(clients.sagemaker, teardown.classifier):
        is_going = partial(_is_going, clients, name)
        _await(is_going, what=f"Endpoint {name} is still being changed")
        is_gone = partial(_is_gone, clients, name)
        _await(is_gone, what=f"Endpoint {name} is still being deleted")


def delete_endpoint_configs(clients: Clients, teardown: Teardown) -> None:
    """Delete every endpoint config of the classifier."""
    for name in our_endpoint_configs(clients.sagemaker, teardown.classifier):
        call = partial(clients.sagemaker.delete_endpoint_config, EndpointConfigName=name)
        delete(call, what=f"Endpoint config {name}")


def delete_models(clients: Clients, teardown: Teardown) -> None:
    """Delete every SageMaker model of the classifier, unless models are kept."""
    for name in () if teardown.keep_models else our_models(clients.sagemaker, teardown.classifier):
        delete(partial(clients.sagemaker.delete_model, ModelName=name), what=f"Model {name}")


def delete_model_packages(clients: Clients, teardown: Teardown) -> None:
    """Delete every version of the classifier in the registry, and its group, unless models are kept."""
    if not teardown.keep_models:
        delete_registry(clients.sagemaker, classifier=teardown.classifier)


def delete_logs(clients: Clients, teardown: Teardown) -> None:
    """Delete the logs of function, endpoint and jobs; the log groups of the jobs are shared and stay."""
    for name in our_log_groups(clients, teardown.classifier):
        clients.logs.delete_log_group(logGroupName=name)
        log.info("Log group %s deleted", name)
    for one in our_job_logs(clients, teardown.classifier):
        clients.logs.delete_log_stream(logGroupName=one.group, logStreamName=one.stream)
        log.info("Log %s deleted", one)


def delete_objects(clients: Clients, teardown: Teardown) -> int:
    """Delete every version and delete marker of the classifier that is not kept; return their number.

    Incomplete multipart uploads are aborted first, because they cost as objects do.

    Raises:
        ResourceBusyError: S3 did not delete some of them.

    """
    for upload in unfinished_uploads(clients.s3, teardown):
        clients.s3.abort_multipart_upload(Bucket=teardown.bucket, Key=upload.key, UploadId=upload.upload_id)
        log.info("Unfinished upload of s3://%s/%s aborted", teardown.bucket, upload.key)
    doomed = ((version["Key"], version["VersionId"]) for version in doomed_versions(clients.s3, teardown))
    deleted = delete_versions(clients.s3, doomed, bucket=teardown.bucket)
    log.info("%d object versions below s3://%s/%s/ deleted", deleted, teardown.bucket, teardown.classifier)
    return deleted


# In the order of the Dag image_classifier_teardown: first what receives uploads, then what costs, then stored objects.
STEPS: tuple[Callable[[Clients, Teardown], object], ...] = (
    delete_upload_trigger,
    stop_training_jobs,
    stop_transform_jobs,
    stop_processing_jobs,
    delete_function,
    delete_endpoint,
    delete_endpoint_configs,
    delete_models,
    delete_model_packages,
    delete_logs,
    delete_objects,
)


def delete_all(clients: Clients, teardown: Teardown) -> None:
    """Take every step; a step whose resources are deleted already only lists them.

    Raises:
        ResourceBusyError: a resource is being changed, or S3 did not delete some objects.

    """
    for step in STEPS:
        step(clients, teardown)


def check_nothing_costs(clients: Clients, teardown: Teardown) -> None:
    """Check that no resource of the classifier is left except what is kept; late logs are only listed, and expire.

    Raises:
        ResourceBusyError: resources are left; the message names all of them.

    """
    found = inventory(clients, teardown)
    log.info("Left of %s:\n%s", teardown.classifier, found.as_table())
    left = replace(found, log_groups=(), job_logs=())
    if left != Inventory():
        message = f"These of {teardown.classifier} are still there:\n{left.as_table()}\nRun the teardown again."
        raise ResourceBusyError(message)


def _is_gone(clients: Clients, endpoint: str) -> bool:
    return describe_endpoint(clients.sagemaker, endpoint) is None


def _is_going(clients: Clients, endpoint: str) -> bool:
    """Request the endpoint's deletion; return False while AWS refuses it, during a creation or update."""
    found = describe_endpoint(clients.sagemaker, endpoint)
    if found is None or found["EndpointStatus"] == "Deleting":
        return True
    try:
        delete(partial(clients.sagemaker.delete_endpoint, EndpointName=endpoint), what=f"Endpoint {endpoint}")
    except ResourceBusyError:
        return False
    return True


def _await(is_done: Callable[[], bool], *, what: str) -> None:
    if repeat_until(is_done, tries=MOST_POLLS, pause_s=POLL_S):
        return
    raise ResourceBusyError(f"{what} after {MOST_POLLS * POLL_S / 60:.0f} minutes; run this task again")
