"""Reads the settings of a deployment from IMAGE_CLASSIFIER_* environment variables when a task runs."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from image_classifier.contracts.errors import SettingsError

PREFIX = "IMAGE_CLASSIFIER_"
RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]
OptionalRole = Annotated[RoleArn | None, BeforeValidator(lambda value: value or None)]
# An environment file with an empty value sets the variable to "".
EcrImage = Annotated[str, Field(pattern=r"^\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+/[^:@\s]+[:@]\S+$")]
OptionalImage = Annotated[EcrImage | None, BeforeValidator(lambda value: value or None)]


class Settings(BaseModel):
    """The settings of a deployment: outputs of include/infrastructure/template.yaml, and two folders."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    bucket: Annotated[str, Field(min_length=3, max_length=63, description="Bucket of all classifiers.")]
    sagemaker_role_arn: Annotated[RoleArn, Field(description="Role of training jobs.")]
    hosting_role_arn: Annotated[
        OptionalRole, Field(description="Role of models, endpoints and transforms; unset, that of training jobs.")
    ] = None
    preparation_role_arn: Annotated[OptionalRole, Field(description="Role of jobs that prepare images.")] = None
    function_role_arn: Annotated[RoleArn, Field(description="Role of the inference functions.")]
    failure_queue_arn: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sqs:.+$", description="Queue of failed events.")]
    function_runtime: Literal["python3.11", "python3.12", "python3.13"] = "python3.12"
    function_architecture: Literal["x86_64", "arm64"] = "x86_64"
    algorithm_image: Annotated[
        OptionalImage, Field(description="Image of the classifiers that say `algorithm: own`, with its tag.")
    ] = None
    preparation_image: Annotated[
        OptionalImage, Field(description="Image of the jobs of `preparation: {runner: processing}`, with its tag.")
    ] = None
    data_folder: Annotated[Path, Field(description="Where a relative `source` of a classifier file starts.")] = Path()

    @property
    def model_role_arn(self) -> str:
        """Return the role of models, endpoints and transform jobs; a stack of release 0.1 has one SageMaker role."""
        return self.hosting_role_arn or self.sagemaker_role_arn

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings from environment variables.

        Raises:
            SettingsError: variables are missing or wrong; the message names all of them.

        """
        given = {name.removeprefix(PREFIX).lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            problems = "; ".join(
                f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}, found {problem['input']!r}"
                if problem["type"] != "missing"
                else f"{PREFIX}{str(problem['loc'][0]).upper()} is not set"
                for problem in error.errors()
            )
            message = (
                f"The deployment's settings cannot be used: {problems}. They are outputs of the CloudFormation stack "
                "of include/infrastructure/template.yaml; set them in the environment of Airflow's workers. "
                "`make aws-deploy` prints them."
            )
            raise SettingsError(message) from error


def bucket_from_env(environ: Mapping[str, str] = os.environ) -> str:
    """Return the bucket: the API server, which shows the pages, needs no other setting.

    Raises:
        SettingsError: the variable is not set.

    """
    bucket = environ.get(f"{PREFIX}BUCKET", "")
    if not bucket:
        raise SettingsError(f"{PREFIX}BUCKET is not set in the environment of Airflow's API server; set it there, too.")
    return bucket


def console_url_from_env(environ: Mapping[str, str] = os.environ) -> str:
    """Return the base address of a console that replaces AWS's, without a slash at the end; empty for AWS's own.

    Its pages are <kind>/<name>, where the kind is training-jobs, transform-jobs, processing-jobs, models,
    endpoint-configs, endpoints or functions; logs/<group>?streams=<prefix>; and buckets/<bucket>/<prefix>.
    """
    return environ.get(f"{PREFIX}CONSOLE_URL", "").rstrip("/")


def image_of_region(image: str, *, variable: str, region: str) -> str:
    """Return the URI of a container image of ours, which a setting names, if its registry is in the region.

    Raises:
        SettingsError: the registry is in another region, whose images SageMaker does not take.

    """
    if f".{region}." in image.partition("/")[0]:
        return image
    message = (
        f"{variable} is {image}, and the connection's region is {region}: SageMaker takes images of its own "
        "region only. Push the image there."
    )
    raise SettingsError(message)
