"""This package's side of each comparison, as a program: `python -m tests.benchmarks.data_path.ours NAME ARGUMENT`."""

import contextlib
import hashlib
import importlib
import inspect
import itertools
import os
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any

from tests.benchmarks.data_path.usage import OWN_SECONDS

from image_classifier.contracts.training import image_list
from image_classifier.contracts.training.image_list import Entry

KEY, SECRET, REGION = "bench", "benchmarks", "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/bench"


def pack(root: str, prefix: str) -> None:
    """The .lst, .rec and .idx files of a folder, in the order in which im2rec shuffles them."""
    from image_classifier.contracts.training.recordio import pack_files

    entries = list(_entries(root))
    random.seed(100)
    random.shuffle(entries)
    Path(f"{prefix}.lst").write_text(image_list.dumps(entries))
    pack_files(entries, root=Path(root), rec=Path(f"{prefix}.rec"))


def _entries(root: str) -> Iterator[Entry]:
    """The images of all class folders, numbered and labelled as im2rec does."""
    folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    files = (
        (label, f"{folder}/{name}")
        for label, folder in enumerate(folders)
        for name in sorted(entry.name for entry in os.scandir(f"{root}/{folder}") if entry.is_file())
    )
    return (Entry(number, (float(label),), path) for number, (label, path) in enumerate(files))


def upload(root: str, url: str, bucket: str) -> None:
    """Upload a folder as prepared images are uploaded."""
    from image_classifier.prepare.stores import open_store

    store: Any = open_store(Client(url)(), bucket)
    for entry in _entries(root):
        store.put(f"ours/{entry.path}", SimpleNamespace(jpeg=Path(root, entry.path).read_bytes()))
    store.finish()


def upload_by_boto3(root: str, url: str, bucket: str) -> None:
    """Upload a folder with boto3 in eight threads."""
    from concurrent.futures import ThreadPoolExecutor

    s3 = Client(url)()

    def put(entry: Entry) -> None:
        s3.put_object(Bucket=bucket, Key=f"boto3/{entry.path}", Body=Path(root, entry.path).read_bytes())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(put, _entries(root)))


@dataclass(frozen=True)
class Client:
    """Makes an S3 client, also in another process."""

    url: str

    def __call__(self) -> Any:
        import boto3

        session = boto3.Session(KEY, SECRET, region_name=REGION)
        return session.client("s3", endpoint_url=self.url)


def prepare(root: str, url: str, bucket: str) -> None:
    """Prepare a folder as the Dag's task does, with two processes where the library has them."""
    from image_classifier.aws.settings import Settings
    from image_classifier.classifier import Classifier
    from image_classifier.prepare import dataset

    settings = Settings(
        bucket=bucket,
        sagemaker_role_arn=ROLE,
        function_role_arn=ROLE,
        failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:bench",
        data_folder=Path(root).parent,
    )
    fields: dict[str, Any] = {
        "name": "bench",
        "source": Path(root).name,
        "hyperparameters": {"image_shape": "3,224,224"},
    }
    if "preparation" in Classifier.model_fields:
        fields["preparation"] = {"runner": "task"}
    classifier = Classifier.model_validate(fields)
    s3 = Client(url)()
    if not hasattr(dataset, "list_dataset"):
        dataset.prepare_dataset(classifier, s3=s3, settings=settings)
        return
    listing = dataset.list_dataset(classifier, s3=s3, settings=settings)
    more = {"connect": lambda: Client(url)} if "connect" in inspect.signature(dataset.finish_dataset).parameters else {}
    dataset.finish_dataset("bench", listing, s3=s3, settings=settings, **more)


def group(count: str) -> None:
    """Group generated looks, of which a fifth are copies of others, and drop them."""
    from image_classifier.prepare.inspection.near_duplicates import Look, Looks

    chance, looks, recent = random.Random(0), Looks(), list[Look]()
    for _ in range(int(count)):
        if recent and chance.random() < 0.2:
            copied = chance.choice(recent)
            look = Look(copied.difference_hash ^ 1 << chance.randrange(64), copied.grey)
        else:
            look = Look(chance.getrandbits(64), chance.randbytes(128))
            recent = [*recent[-99:], look]
        if looks.nearest(look) is None:
            looks.add(look)


def list_images(count: str) -> None:
    """Find the classes and splits of generated names, as the step that lists the source does."""
    from image_classifier.prepare.layout.folders import read_layout
    from image_classifier.prepare.sources.source import File, Files

    read_layout(Files(File(name, f"1@{number}") for number, name in enumerate(_names(count))), where="generated")


def _names(count: str) -> Iterator[str]:
    return (f"class{number % 10}/{number:07}.jpg" for number in range(int(count)))


def assemble(count: str) -> None:
    """Choose, group, split and list generated images of ten classes, as the step that joins the shards does."""
    from image_classifier.prepare.placed_before import PlacedBefore

    _assemble(_names(count), before=PlacedBefore())


def assemble_again(count: str) -> None:
    """Do the same for a set that has a version with all its images but one."""
    from image_classifier.prepare.placed_before import PlacedBefore

    before = PlacedBefore()
    for one in map(Inspection(), _names(count)):
        before.add(one.facts.sha256, group=one.facts.sha256, split=one.split, look=one.facts.look)
    _assemble(itertools.chain(_names(count), ["class0/new.jpg"]), before=before)


class Inspection:
    """Makes what the inspection finds in generated images, of which each has a look of its own."""

    def __init__(self) -> None:
        from image_classifier.prepare.inspection.statistics import Statistics
        from image_classifier.prepare.split import Fractions

        self.chance = random.Random(0)
        self.statistics = Statistics(120.0, 50.0, 900.0, 7.0, 30.0, 1.0, 0.5)
        self.fractions = Fractions(0, validation=0.2, test=0.1)

    def __call__(self, name: str) -> Any:
        """Return the `Inspected` of an image."""
        from image_classifier.prepare.inspection.inspector import Facts, Inspected
        from image_classifier.prepare.inspection.near_duplicates import Look
        from image_classifier.prepare.layout.images import Listed

        sha256 = hashlib.sha256(name.encode()).hexdigest()
        look = Look(self.chance.getrandbits(64), self.chance.randbytes(128))
        facts = Facts(sha256, 100, 100, self.statistics, (), look, f"{sha256[:16]}.jpg")
        image = Listed(name, name.partition("/")[0], None, "1@1")
        return Inspected(image, self.fractions.split_of(sha256, None), facts, uploaded=True)


def _assemble(names: Iterable[str], *, before: Any) -> None:
    from image_classifier.prepare.assemble import Assembler
    from image_classifier.prepare.layout.folders import Layout
    from image_classifier.prepare.picked import Found
    from image_classifier.prepare.placement import Placer
    from image_classifier.prepare.publish import image_lists

    inspection = Inspection()
    found = Found(map(inspection, names))
    labels = tuple(f"class{number}" for number in range(10))
    layout = Layout(found, labels, (), (), "generated")
    placer = Placer(inspection.fractions, needs_validation=True, before=before)
    image_lists(Assembler("generated", layout, labels, "bench", placer, 0.1).assemble(found))


def nothing() -> None:
    """What a bare task process has imported."""
    import airflow.sdk  # noqa: F401


COMMANDS: dict[str, Any] = {
    one.__name__: one
    for one in (pack, upload, upload_by_boto3, prepare, list_images, group, assemble, assemble_again, nothing)
}

IMPORTED = {
    upload.__name__: ("boto3", "obstore", "image_classifier.prepare.stores"),
    upload_by_boto3.__name__: ("boto3",),
    prepare.__name__: ("boto3", "obstore", "image_classifier.prepare.dataset"),
}


def main(name: str, *arguments: str) -> None:
    """Run a command.

    With ``--own-seconds`` at the end, the last line that it prints has the seconds of the clock and of the processors
    that it took, without the imports: a task's process has made them.
    """
    if not arguments or arguments[-1] != OWN_SECONDS:
        COMMANDS[name](*arguments)
        return
    arguments = arguments[:-1]
    for module in IMPORTED.get(name, ()):
        with contextlib.suppress(ImportError):  # the commit before has no obstore
            importlib.import_module(module)
    started, times = perf_counter(), os.times()
    COMMANDS[name](*arguments)
    used = [now - before for now, before in zip(os.times()[:4], times[:4], strict=True)]
    print(perf_counter() - started, sum(used))


if __name__ == "__main__":
    main(*sys.argv[1:])
