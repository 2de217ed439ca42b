"""Defines the entry point of the Lambda function, which writes a prediction record for every image of an S3 event.

The environment variables are listed in ``environment``.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from PIL import features

from image_classifier.contracts.errors import SettingsError
from image_classifier_inference.endpoint import READ_TIMEOUT_S, Endpoint
from image_classifier_inference.environment import Environment
from image_classifier_inference.events import LambdaContext, handle
from image_classifier_inference.inference import Inference
from image_classifier_inference.models import ModelFiles

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_sagemaker_runtime.client import SageMakerRuntimeClient

S3_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
RUNTIME_CONFIG = Config(connect_timeout=3, read_timeout=READ_TIMEOUT_S, retries={"total_max_attempts": 1})


def cold_start(environ: Mapping[str, str]) -> Inference:
    """Make the objects that a warm function keeps. Calls nothing over the network.

    Raises:
        SettingsError: an environment variable or Pillow's WebP decoder is missing.

    """
    environment = Environment.from_environ(environ)
    # Pillow omits a decoder without a message when the system's C library is too old for it.
    if not features.check("webp"):
        message = (
            "Pillow cannot load its WebP decoder here, so WebP images would be rejected. Use a runtime on Amazon Linux "
            "2023: python3.12 or later (python3.11 runs on Amazon Linux 2, whose glibc is too old)."
        )
        raise SettingsError(message)
    session = botocore.session.get_session()
    s3 = cast("S3Client", session.create_client("s3", config=S3_CONFIG))
    runtime = cast("SageMakerRuntimeClient", session.create_client("sagemaker-runtime", config=RUNTIME_CONFIG))
    return Inference(
        environment,
        s3=s3,
        endpoint=Endpoint(runtime, name=environment.endpoint),
        models=ModelFiles(s3, models_prefix=environment.models_prefix),
    )


# While Lambda imports this module, it gives more processor time than the function's memory size buys later.
_inference = cold_start(os.environ)


def lambda_handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Classify every image that the event names.

    Raises:
        PredictionError: an image failed; names all of them. The others have their records.

    """
    return handle(event, context, inference=_inference)
