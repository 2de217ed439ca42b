"""Decides who prepares the images that must be read, and in how many shards.

The limit of 20,000 images is an estimate: a process spends about 5 ms of CPU on a photograph of 480x360 (20.1 s for
4,000), and a mapped task takes some seconds to start and needs a free slot of a worker. 20,000 images are two minutes
of one process and less of a worker with several cores; below that, mapped tasks would gain less than they cost.
"""

from dataclasses import dataclass
from typing import Final, Literal

from image_classifier.classifier.preparation import Runner

Chosen = Literal["task", "mapped", "processing"]

FEWEST_TO_MAP: Final = 20_000
MOST_MAPPED: Final = 64  # tasks; thousands of them stop Airflow's scheduler (apache/airflow issues 29959 and 45991)
IMAGES_OF_A_MAPPED_SHARD: Final = 5_000  # about 25 seconds of CPU, well above what the task takes to start
IMAGES_OF_A_SHARD: Final = 1_000  # what an interruption can cost, and how evenly processes end
MOST_SHARDS: Final = 10_000


@dataclass(frozen=True)
class Sharding:
    """Who prepares the images, and in how many shards."""

    runner: Chosen
    shards: int


def sharding(wanted: Runner, images: int) -> Sharding:
    """Return the sharding of the images that must be read.

    Args:
        wanted: of the classifier's file.
        images: how many must be read; no image makes no shard.

    """
    runner = wanted if wanted != "auto" else "mapped" if images >= FEWEST_TO_MAP else "task"
    if runner == "mapped":
        return Sharding(runner, min(MOST_MAPPED, -(-images // IMAGES_OF_A_MAPPED_SHARD)))
    return Sharding(runner, min(MOST_SHARDS, -(-images // IMAGES_OF_A_SHARD)))
