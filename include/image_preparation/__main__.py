"""Prepares this instance's share of the shards of a listing; the arguments are those of `Work`."""

import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from image_classifier.aws.client_errors import is_transient
from image_classifier.contracts.errors import ImageClassifierError, StorageError
from image_classifier.prepare.processing.work import Work
from image_classifier.prepare.progress import Progress
from image_classifier.prepare.shards.processes import Shards, most_processes, prepare_in_processes
from image_preparation.connection import Connection
from image_preparation.instance import Instance

KILLED = "A process was killed, perhaps because the instance has too little memory: choose a larger instance_type."
OTHER_RELEASE = "The listing is of another release of this package than the image: build and push the image again."


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare the shards; return the exit status, and leave a message for DescribeProcessingJob."""
    instance, work = Instance.from_env(), Work.of(arguments)
    numbers = work.shards_of(instance.number, instances=instance.count)
    print(f"Instance {instance.number + 1} of {instance.count}: {len(numbers)} of {work.shards} shards", flush=True)
    progress = Progress(partial(print, flush=True), work.images_of(numbers))
    message = _prepare(numbers, work, instance=instance, progress=progress)
    text = message or f"{progress.done:,} images prepared, {progress.rejected:,} of them rejected."
    instance.write_message(f"{text} ")  # SageMaker joins the messages of all instances
    print(text, flush=True)
    return 1 if message else 0


def _prepare(numbers: Sequence[int], work: Work, *, instance: Instance, progress: Progress) -> str:
    """Prepare the shards; return why they are not prepared, or nothing."""
    try:
        prepare_in_processes(
            numbers,
            shards=Shards(work.classifier, work.run, instance.bucket, Path()),
            connect=lambda: Connection(instance.region),
            processes=max(1, min(most_processes(), len(numbers))),
            progress=progress,
        )
    except BrokenProcessPool:
        return KILLED
    except ValidationError as error:
        return f"{OTHER_RELEASE} {error}"
    except (ImageClassifierError, ClientError, BotoCoreError) as error:
        kind = StorageError if is_transient(error) else type(error)
        return f"{kind.__name__}: {error}"
    except OSError as error:
        return f"A file cannot be read or written: {error}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
