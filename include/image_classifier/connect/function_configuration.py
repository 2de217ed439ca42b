"""Defines the configuration of a classifier's function, and compares it with a deployed function."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from image_classifier.aws.names import Keys, endpoint_name, function_name, tags
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.connect.function_package import HANDLER

TIMEOUT_S = 60  # two requests to the endpoint of up to 20 s each, reading the image and writing the record
MEMORY_MB = 1024  # decoding the largest image takes 520 MB; Lambda lends a processor by memory: here 0.58 of one


class FunctionConfiguration(BaseModel):
    """The configuration of one function; XCom carries it as a dict."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    classifier: str
    bucket: str
    role_arn: str
    runtime: str
    architecture: Literal["x86_64", "arm64"]
    failure_queue_arn: str
    environment: dict[str, str]
    tags: dict[str, str]

    @property
    def name(self) -> str:
        return function_name(self.classifier)

    def as_request(self) -> dict[str, Any]:
        """Return the parameters that CreateFunction and UpdateFunctionConfiguration share."""
        return {
            "FunctionName": self.name,
            "Role": self.role_arn,
            "Handler": HANDLER,
            "Runtime": self.runtime,
            "Timeout": TIMEOUT_S,
            "MemorySize": MEMORY_MB,
            "Description": f"Writes a prediction for every image below {Keys(self.classifier).incoming}",
            "Environment": {"Variables": self.environment},
        }

    def matches(self, found: Mapping[str, Any]) -> bool:
        """Return whether a function that Lambda describes has this configuration."""
        seen = {**found, "Environment": {"Variables": found.get("Environment", {}).get("Variables", {})}}
        return all(seen.get(name) == value for name, value in self.as_request().items())

    def runs_code(self, found: Mapping[str, Any], *, code_sha256: str) -> bool:
        """Return whether a function that Lambda describes runs this code on this architecture."""
        return found.get("CodeSha256") == code_sha256 and found.get("Architectures", ["x86_64"]) == [self.architecture]


def function_configuration(
    classifier: Classifier, *, settings: Settings, training_job: str, endpoint_config: str
) -> FunctionConfiguration:
    """Return the configuration for an endpoint that serves the model of ``training_job``."""
    keys = Keys(classifier.name)
    environment = {
        "CLASSIFIER": classifier.name,
        "ENDPOINT": endpoint_name(classifier.name),
        "ENDPOINT_CONFIG": endpoint_config,
        "TRAINING_JOB": training_job,
        "UNSURE_BELOW": str(classifier.unsure_below),
        "MODELS_PREFIX": keys.models,
        "INCOMING_PREFIX": keys.incoming,
        "PREDICTIONS_PREFIX": keys.predictions,
        "THUMBNAILS_PREFIX": keys.thumbnails,
        "LOG_PREFIX": keys.predictions_log,
        **({"CALIBRATE": "true"} if classifier.calibrate else {}),
        # The function reads the threshold from model.json; another setting makes a new version, which reads it again.
        **(
            {"WANTED_ACCURACY": str(classifier.evaluation.wanted_accuracy)} if classifier.unsure_below == "auto" else {}
        ),
    }
    return FunctionConfiguration(
        classifier=classifier.name,
        bucket=settings.bucket,
        role_arn=settings.function_role_arn,
        runtime=settings.function_runtime,
        architecture=settings.function_architecture,
        failure_queue_arn=settings.failure_queue_arn,
        environment=environment,
        tags=tags(classifier.name, classifier.tags),
    )
