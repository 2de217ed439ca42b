"""Divides the shards of a listing among the instances of a processing job, and prepares them."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.prepare.processing.jobs import BUCKET_VARIABLE
from image_classifier.prepare.shards.listing import inspected_key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class Work:
    """The shards of one listing, as the arguments of the image's program name them.

    Attributes:
        classifier: its name.
        run: of the listing; see `image_classifier.prepare.shards.listing`.
        shards: how many the listing has, numbered from 0.
        images: how many images all of them have.

    """

    classifier: str
    run: str
    shards: int
    images: int

    @classmethod
    def of(cls, arguments: Sequence[str] | None) -> Self:
        """Read what `arguments` wrote; None stands for the arguments of this process."""
        parser = argparse.ArgumentParser(prog="image_preparation")
        parser.add_argument("--classifier", required=True)
        parser.add_argument("--run", required=True)
        parser.add_argument("--shards", type=int, required=True)
        parser.add_argument("--images", type=int, required=True)
        return cls(**vars(parser.parse_args(arguments)))

    @property
    def arguments(self) -> list[str]:
        counts = ["--shards", str(self.shards), "--images", str(self.images)]
        return ["--classifier", self.classifier, "--run", self.run, *counts]

    def shards_of(self, instance: int, *, instances: int) -> range:
        """Return the numbers of the shards that one of the instances, numbered from 0, prepares."""
        return range(instance, self.shards, instances)

    def images_of(self, numbers: Sequence[int]) -> int:
        """How many images these shards have, or one more or less: a listing divides them evenly."""
        return self.images * len(numbers) // self.shards


def has_parts(s3: "S3Client", request: Mapping[str, Any]) -> bool:
    """Return whether every shard that a request names has its part, which a completed job has written."""
    work = Work.of(request["AppSpecification"]["ContainerArguments"])
    keys, bucket = Keys(work.classifier), request["Environment"][BUCKET_VARIABLE]
    wanted = {inspected_key(number, keys=keys, run=work.run) for number in range(work.shards)}
    return wanted <= storage.list_objects(s3, bucket=bucket, prefix=keys.listing(work.run)).keys()
