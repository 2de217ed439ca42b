"""Downloads the artifact of a model from S3 into the folder where its container expects it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from local_aws.sagemaker import artifacts
from local_aws.sagemaker.aws import split_s3_uri
from local_aws.sagemaker.jobs.failures import SERVICE_ERRORS

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Container


class ModelFilesError(Exception):
    """The artifact cannot be downloaded or unpacked; the message is for an endpoint's FailureReason."""


def unpack_model(container: Container, *, base: Path, aws: Aws) -> None:
    """Unpack the artifact of a container definition below `base`/model, unless an earlier call has done so.

    Raises:
        ModelFilesError: S3 refuses it, or it is not a gzip-compressed tar archive.

    """
    done = base / "unpacked"
    if done.exists():  # the server was started again
        return
    uri = container.get("ModelDataUrl")
    try:
        shutil.rmtree(base, ignore_errors=True)
        (base / "model").mkdir(parents=True)
        if uri:
            _fetch(uri, base=base, aws=aws)
        done.touch()
    except SERVICE_ERRORS as error:
        raise ModelFilesError(f"Failed to download model data from {uri} for the container: {error}") from error
    except (artifacts.ArtifactError, OSError) as error:
        raise ModelFilesError(f"Failed to extract model data archive from {uri}: {error}") from error


def _fetch(uri: str, *, base: Path, aws: Aws) -> None:
    bucket, key = split_s3_uri(uri)
    archive = base / "model.tar.gz"
    aws.s3.download_file(bucket, key, str(archive))
    artifacts.unpack(archive, to=base / "model")
    archive.unlink()
