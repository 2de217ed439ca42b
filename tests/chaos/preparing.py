"""Runs one step of a preparation against the local S3, as a task's process does; a scenario kills it meanwhile.

python -m tests.chaos.preparing list|shard|task BUCKET FOLDER RUNNER [LISTING [SHARD]]

With KILL_BEFORE=TEXT and KILL_AFTER=NUMBER in the environment it kills itself when it is about to write one object more
than so many whose key has the text: such objects follow one another too quickly for somebody who counts them in S3.
"""

import itertools
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.prepare import dataset
from image_classifier.prepare.shards import pending, sharding
from image_classifier.prepare.shards.listing import Listing
from image_classifier.prepare.shards.shard import prepare_shard

NAME = "pets"
IMAGES_OF_A_SHARD = 40
PROCESSES = 2
SIDE_PX = 64


@dataclass(frozen=True)
class Client:
    """Makes an S3 client of the environment."""

    def __call__(self) -> Any:
        return boto3.client("s3")


def _client() -> Any:
    s3, sign, written = boto3.client("s3"), os.environ.get("KILL_BEFORE"), itertools.count()

    def kill_before_one_more(params: dict[str, Any], **_: object) -> None:
        if sign and sign in params["Key"] and next(written) == int(os.environ["KILL_AFTER"]):
            os.kill(os.getpid(), signal.SIGKILL)

    s3.meta.events.register("provide-client-params.s3.PutObject", kill_before_one_more)
    return s3


def main(step: str, bucket: str, folder: str, runner: str, listing: str = "{}", shard: str = "0") -> None:
    """Run the step; ``list`` prints the listing, ``task`` the data set's fingerprint."""
    sharding.IMAGES_OF_A_SHARD = sharding.IMAGES_OF_A_MAPPED_SHARD = IMAGES_OF_A_SHARD
    pending.SHARDS_OF_A_PROCESS, pending.most_processes = 1, lambda: PROCESSES
    s3, settings = _client(), Settings.from_env().model_copy(update={"bucket": bucket})
    shape = {"image_shape": f"3,{SIDE_PX},{SIDE_PX}", "num_layers": 20}
    classifier = Classifier(name=NAME, source=folder, hyperparameters=shape, preparation={"runner": runner})
    if step == "list":
        print(dataset.list_dataset(classifier, s3=s3, settings=settings).model_dump_json())
        return
    listed = Listing.model_validate_json(listing)
    if step == "shard":
        prepare_shard(int(shard), classifier=NAME, run=listed.run, s3=s3, bucket=bucket, data_folder=Path(folder))
        return
    made = dataset.finish_dataset(NAME, listed, s3=s3, settings=settings, connect=Client)
    print(json.dumps(made.fingerprint))


if __name__ == "__main__":
    main(*sys.argv[1:])
