"""Reads the function's environment variables, which its deployment sets, once per cold start.

====================  =====================================================================================
CLASSIFIER            the classifier's name
ENDPOINT              name of the SageMaker endpoint
ENDPOINT_CONFIG       name of the endpoint config that this deployment put behind the endpoint
TRAINING_JOB          training job of the model in ENDPOINT_CONFIG
UNSURE_BELOW          probability, 0 to 1, below which an answer is stored as unsure; auto: the model's own threshold
CALIBRATE             true: the model's temperature is applied; false if it is not set
MODELS_PREFIX         prefix of <training job>/model.json, which holds a model's labels and pixel parameters
INCOMING_PREFIX       prefix of the images; objects below other prefixes are skipped
PREDICTIONS_PREFIX    prefix of the records
THUMBNAILS_PREFIX     prefix of the thumbnails
LOG_PREFIX            prefix of the small objects that list the records by time
====================  =====================================================================================

Every prefix ends in a slash. The limits of bytes and pixels are those of ``image_classifier.contracts.pixels``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from image_classifier.contracts.errors import SettingsError


@dataclass(frozen=True)
class Environment:
    """The settings of one deployment of the function."""

    classifier: str
    endpoint: str
    endpoint_config: str
    training_job: str
    unsure_below: float | None  # None is auto
    models_prefix: str
    incoming_prefix: str
    predictions_prefix: str
    thumbnails_prefix: str
    log_prefix: str
    calibrate: bool = False

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables.

        Raises:
            SettingsError: variables are missing or wrong; the message names all of them.

        """
        given: dict[str, Any] = {}
        problems: list[str] = []
        for name, read in _READERS.items():
            try:
                given[name] = read(environ[name])
            except KeyError:
                problems.append(f"{name} is not set")
            except ValueError as error:
                problems.append(f"{name}: {error}, found {environ[name]!r}")
        for name in ("PREDICTIONS_PREFIX", "THUMBNAILS_PREFIX", "LOG_PREFIX"):
            if given.get(name, "").startswith(given.get("INCOMING_PREFIX", "/")):
                problems.append(f"{name} is below INCOMING_PREFIX: every write would trigger the function again")
        if problems:
            message = (
                f"The inference function cannot start: {'; '.join(problems)}. Run the classifier's "
                "train_and_deploy Dag: it sets the function's environment."
            )
            raise SettingsError(message)
        calibrate = environ.get("CALIBRATE") == "true"
        return cls(calibrate=calibrate, **{name.lower(): value for name, value in given.items()})


def _text(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _prefix(value: str) -> str:
    if not value.endswith("/"):
        raise ValueError("must end in a slash")
    return value


def _threshold(value: str) -> float | None:
    if value == "auto":
        return None
    if not 0 <= float(value) <= 1:
        raise ValueError("must be from 0 to 1, or auto")
    return float(value)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "CLASSIFIER": _text,
    "ENDPOINT": _text,
    "ENDPOINT_CONFIG": _text,
    "TRAINING_JOB": _text,
    "UNSURE_BELOW": _threshold,
    "MODELS_PREFIX": _prefix,
    "INCOMING_PREFIX": _prefix,
    "PREDICTIONS_PREFIX": _prefix,
    "THUMBNAILS_PREFIX": _prefix,
    "LOG_PREFIX": _prefix,
}
