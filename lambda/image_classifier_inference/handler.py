"""Defines the entry point of the Lambda function, which writes a prediction record for every image of an S3 event.

The environment variables are listed in ``environment``.
"""

# ruff: noqa: E402 - garbage collection is off before anything is imported

import gc

gc.disable()  # imports leave no garbage, and collecting it would take a tenth of the cold start

import os
from collections.abc import Mapping
from typing import Any

from PIL import features

from image_classifier.contracts.errors import SettingsError
from image_classifier_inference.aws_clients import make_clients
from image_classifier_inference.endpoint import Endpoint
from image_classifier_inference.environment import Environment
from image_classifier_inference.events import LambdaContext, handle
from image_classifier_inference.inference import Inference
from image_classifier_inference.models import ModelFiles


def cold_start(environ: Mapping[str, str]) -> Inference:
    """Create the objects that a warm function keeps; nothing is called over the network.

    Raises:
        SettingsError: an environment variable or Pillow's WebP decoder is missing.

    """
    environment = Environment.from_environ(environ)
    # Pillow omits a decoder, without a message, if the system's C library is too old for it.
    if not features.check("webp"):
        message = (
            "Pillow cannot load its WebP decoder here, so WebP images would be rejected. Use a runtime on Amazon Linux "
            "2023: python3.12 or later (python3.11 runs on Amazon Linux 2, whose glibc is too old)."
        )
        raise SettingsError(message)
    clients = make_clients()
    return Inference(
        environment,
        s3=clients.s3,
        endpoint=Endpoint(clients.runtime, name=environment.endpoint),
        models=ModelFiles(clients.s3, models_prefix=environment.models_prefix),
    )


# During this import Lambda gives the function more CPU than its memory size does later.
_inference = cold_start(os.environ)
gc.freeze()  # these objects live as long as the process
gc.enable()


def lambda_handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Classify every image that the event names.

    Raises:
        PredictionError: images failed; the message names them. The others have their records.

    """
    return handle(event, context, inference=_inference)
