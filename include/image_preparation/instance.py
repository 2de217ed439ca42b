"""Reads what SageMaker tells an instance of a processing job, and writes what DescribeProcessingJob shows of its end.

The files are those of the container contract:
https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

BASE_VARIABLE = "SAGEMAKER_BASE_DIR"  # as in image_classification_algorithm
BASE_DEFAULT = "/opt/ml"
BUCKET_VARIABLE = "IMAGE_CLASSIFIER_BUCKET"
MESSAGE_BYTES = 500  # of each instance; ExitMessage has at most 1,024 for all


@dataclass(frozen=True)
class Instance:
    """One instance of a job.

    Attributes:
        base: the folder that SageMaker and the container share.
        number: its number, from 0.
        count: how many instances the job has.
        region: where the job runs.
        bucket: of the deployment.

    """

    base: Path
    number: int
    count: int
    region: str
    bucket: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the files below /opt/ml/config, and the bucket from the environment that the request gives the program.

        Raises:
            OSError: a file cannot be read; this is no container of a processing job.
            KeyError: a file or the environment lacks what the contract says it has.

        """
        base = Path(environ.get(BASE_VARIABLE) or BASE_DEFAULT)
        resources = json.loads((base / "config" / "resourceconfig.json").read_text(encoding="utf-8"))
        job = json.loads((base / "config" / "processingjobconfig.json").read_text(encoding="utf-8"))
        hosts = sorted(resources["hosts"])
        return cls(
            base=base,
            number=hosts.index(resources["current_host"]),
            count=len(hosts),
            region=job["ProcessingJobArn"].split(":")[3],
            bucket=environ[BUCKET_VARIABLE],
        )

    def write_message(self, text: str) -> None:
        """Write the text for ExitMessage; a longer one is cut."""
        file = self.base / "output" / "message"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode()[:MESSAGE_BYTES].decode(errors="ignore").encode())
