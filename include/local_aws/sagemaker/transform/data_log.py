"""Writes the data log of an instance: SageMaker's own lines about a transform job, in their own log stream."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from local_aws.sagemaker.transform.inputs import InputObject
    from local_aws.sagemaker.transform.parameters import Parameters


class DataLog:
    """A file of lines as AWS writes them: ``2020-10-14T04:08:19.666:[sagemaker logs]: ...``."""

    def __init__(self, file: Path) -> None:
        """`file` is made with the first line."""
        self._file = file
        self._lock = threading.Lock()

    def begin(self, parameters: Parameters) -> None:
        """Log how the requests are made."""
        self._write(
            f"MaxConcurrentTransforms={parameters.max_concurrent}, MaxPayloadInMB={parameters.max_payload_mb}, "
            f"BatchStrategy={parameters.strategy}"
        )

    def refused(self, item: InputObject, headline: str, *, message: str) -> None:
        """Log that the model answered with an error, and its message.

        The form is AWS's: github.com/aws/amazon-sagemaker-examples/issues/1620.
        """
        name = f"{item.bucket}/{item.key}"
        lines = [headline, "", "Message:", *message.splitlines()] if message else [headline]
        self._write(*(f"{name}: {line}" for line in lines))

    def _write(self, *lines: str) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        text = "".join(f"{now}:[sagemaker logs]: {line}\n" for line in lines)
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(text)
