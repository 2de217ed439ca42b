"""Defines what a classifier's file says about where its images are prepared."""

from typing import Literal

from image_classifier.classifier.parts import Part

Runner = Literal["auto", "task", "mapped", "processing"]


class Preparation(Part):
    """Where the images are prepared; the data set is the same in all cases.

    Attributes:
        runner: ``task``: in one task, on all its worker's cores. ``mapped``: in up to 64 mapped tasks, on all workers.
            ``auto``: in one of these ways, by the number of images that must be read. ``processing``: by a SageMaker
            Processing job, which costs money.

    """

    runner: Runner = "auto"
