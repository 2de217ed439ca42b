"""Defines what a classifier's file says about where its images are prepared."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from image_classifier.classifier.parts import InstanceCount, InstanceType, Part

LONGEST_PROCESSING_S = 777_600  # SageMaker's own limit: nine days
Runner = Literal["auto", "task", "mapped", "processing"]


class Preparation(Part):
    """Where the images are prepared; the data set is the same in all cases.

    Attributes:
        runner: ``task``: in one task, on all its worker's cores. ``mapped``: in up to 64 mapped tasks, on all workers.
            ``auto``: in one of these ways, by the number of images that must be read. ``processing``: by a SageMaker
            Processing job, which costs money.
        instance_type: of a processing job.
        instance_count: of a processing job; a listing with fewer shards takes fewer.
        time_limit_s: after so many seconds a processing job is stopped.

    """

    runner: Runner = "auto"
    instance_type: InstanceType = "ml.m5.xlarge"
    instance_count: InstanceCount = 2
    time_limit_s: Annotated[int, Field(ge=60, le=LONGEST_PROCESSING_S)] = 14_400

    def problems(self, *, source: str, network_isolation: bool) -> Iterator[str]:
        """Yield what keeps the instances of a processing job from the images of `source`."""
        if self.runner != "processing":
            return
        if not source.startswith("s3://"):
            yield (
                f"preparation.runner is processing, whose instances read from S3 only, and source is {source!r}. "
                "Copy the images to S3, or choose runner: mapped."
            )
        if network_isolation:
            yield (
                "preparation.runner is processing, whose instances read images from S3, and network_isolation keeps "
                "them from it: choose another runner."
            )
