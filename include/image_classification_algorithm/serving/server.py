"""Loads the model, then listens; after SIGTERM the requests under way are finished."""

import os
import signal
from collections.abc import Mapping

import uvicorn

from image_classification_algorithm.folders import Folders
from image_classification_algorithm.job_log import log
from image_classification_algorithm.serving.app import application
from image_classification_algorithm.serving.model import Model

PORT_VARIABLE, PORT_DEFAULT = "SAGEMAKER_BIND_TO_PORT", "8080"
# A container sets 0.0.0.0, so that it can be reached from outside; on a laptop only the laptop may connect.
HOST_VARIABLE, HOST_DEFAULT = "IMAGE_CLASSIFICATION_BIND_TO_HOST", "127.0.0.1"
DRAIN_S = 30


def run(folders: Folders, environ: Mapping[str, str] = os.environ) -> None:
    """Serve until SIGTERM.

    Raises:
        ClientError: there is no model, or another program made the one that is there.

    """
    model = Model.load(folders.model)
    host, port = environ.get(HOST_VARIABLE, HOST_DEFAULT), int(environ.get(PORT_VARIABLE, PORT_DEFAULT))
    log.info("Serving %s on http://%s:%d", folders.model, host, port)
    config = uvicorn.Config(
        application(model),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=DRAIN_S,
    )
    # uvicorn drains at SIGTERM, then raises it again: with its default action the exit status would be a failure.
    signal.signal(signal.SIGTERM, lambda *_: None)
    uvicorn.Server(config).run()
