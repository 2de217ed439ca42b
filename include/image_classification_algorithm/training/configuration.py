"""Reads the job's hyperparameters, and logs them as the built-in algorithm does at the start of its log."""

import json
from typing import Any

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.formats.channels import read_channel
from image_classification_algorithm.job_log import log
from image_classifier.contracts.errors import HyperparameterError
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters

# SageMaker adds it to the jobs of a tuning job (aws/sagemaker-python-sdk, tuner.py); no algorithm is configured by it.
TUNING_OBJECTIVE = "_tuning_objective_metric"


def read_hyperparameters(folders: Folders) -> JobHyperparameters:
    """Read the hyperparameters and check every value.

    Raises:
        ClientError: a value is wrong; the message has one sentence per problem.

    """
    given = {name: value for name, value in _json(folders).items() if name != TUNING_OBJECTIVE}
    log.info("Reading default configuration from image_classifier/contracts/training/hyperparameters.py: {}")
    log.info("Merging with provided configuration from %s: %s", folders.hyperparameters, given)
    try:
        hyperparameters = JobHyperparameters.from_strings({name: str(value) for name, value in given.items()})
    except HyperparameterError as error:
        raise ClientError(str(error)) from error
    log.info("Final configuration: %s", hyperparameters.as_strings())
    if hyperparameters.resize is None and read_channel(folders, "train").has_image_type:
        raise ClientError("The hyperparameter resize is required when the images are given as files (image format).")
    return hyperparameters


def _json(folders: Folders) -> dict[str, Any]:
    try:
        content = json.loads(folders.hyperparameters.read_bytes())
    except FileNotFoundError as error:
        raise ClientError(f"There are no hyperparameters: {folders.hyperparameters} is missing.") from error
    except ValueError as error:
        raise ClientError(f"{folders.hyperparameters} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise ClientError(f"{folders.hyperparameters} must hold an object; found {type(content).__name__}.")
    return content


def log_parameters(hyperparameters: JobHyperparameters, *, device: str, hosts: int) -> None:
    """Log the hyperparameters as the built-in algorithm does, and a warning for each that has no effect here."""
    log.info("---- Parameters ----")
    for name, value in hyperparameters.as_strings().items():
        log.info("%s: %s", name, value)
    log.info("kv_store: %s", "device" if hosts == 1 else "dist_sync")
    if hyperparameters.kv_store and hosts == 1:
        log.info("kv_store %s acts on several machines only; this job has one.", hyperparameters.kv_store)
    elif hyperparameters.kv_store == "dist_async":
        log.info("kv_store dist_async: this program waits for all machines after each batch, as dist_sync does.")
    if hyperparameters.checkpoint_frequency is None:
        log.info("checkpoint_frequency not set, will store the best model")
    if hyperparameters.precision_dtype == "float16" and device == "cpu":
        log.warning("precision_dtype is float16; a CPU computes in float32, so that is what this job does.")
    log.info("device: %s", device)
    log.info("--------------------")
