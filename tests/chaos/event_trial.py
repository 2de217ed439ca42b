"""Compares each uploaded image with its prediction record, and does to the classifier what happens in its life."""

import gzip
import io
import json
import random
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from PIL import Image
from tests.chaos.airflow_runs import Airflow, Run, now, until
from tests.chaos.classifiers import SHADES
from tests.chaos.uploads import Uploads, by_etag

from image_classifier.aws.names import Keys, endpoint_name
from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.contracts.pixels import PixelParameters, prepare
from image_classifier.gallery.newest import Records, RowCache
from image_classifier.gallery.rows import Row

WATCH = "image_classifier_watch"
PICTURES, UPLOADED_PX, SIDE_PX = 16, 48, 28
TOLERANCE = 1e-4  # of a probability
READERS = 16
BUSY_S = 20  # over which the throughput is given: the uploads wait while Dags run
QUIET_S = 10  # without a new record: what is still to come, comes by a retry or a replay
LOOK_S = 2.0  # between two listings of thousands of records
PASSES = 8
Expected = Mapping[str, Mapping[int, Mapping[str, float]]]  # probabilities by training job, picture and class


@dataclass
class Compared:
    """What the bucket holds for one folder of images: the records, and what is wrong with any."""

    images: int
    records: list[dict[str, Any]]
    wrong: list[str] = field(default_factory=list)

    @property
    def replayed(self) -> int:
        """Records that a replay wrote; S3's own events have a sequencer."""
        return sum(record["image"]["sequencer"] is None for record in self.records)

    def summary(self, uploads: Uploads) -> str:
        """Throughput while nothing waited, delays from upload to record in seconds, and replays."""
        times = [record["times"] for record in self.records]
        delays = sorted(one["total_ms"] / 1000 for one in times)
        written = [datetime.fromisoformat(one["predicted"]).timestamp() for one in times]
        busiest = max(Counter(int(at // BUSY_S) for at in written).values()) / BUSY_S
        percentiles = statistics.quantiles(delays, n=100)
        return (
            f"{len(self.records)} of {self.images} images have their record, {len(self.wrong)} wrong; "
            f"{busiest:.1f} images/s in the busiest {BUSY_S} s, p50 {percentiles[49]:.1f} s, "
            f"p99 {percentiles[98]:.1f} s; {self.replayed} by replay; last {max(written) - uploads.ended:.0f} s after "
            f"the last upload; {uploads.repeated} uploads repeated by the client"
        )


def pictures() -> list[bytes]:
    """Noise around both shades, and one file that is cut off."""
    noise, made = random.Random(11), list[bytes]()
    for number in range(PICTURES):
        shade = list(SHADES.values())[number % len(SHADES)]
        pixels = bytes(shade + noise.randrange(-35, 36) for _ in range(UPLOADED_PX * UPLOADED_PX))
        buffer = io.BytesIO()
        Image.frombytes("L", (UPLOADED_PX, UPLOADED_PX), pixels).save(buffer, "PNG")
        made.append(buffer.getvalue())
    return [*made, made[0][: len(made[0]) // 2]]


class EventTrial:
    """One classifier under faults."""

    def __init__(self, aws: Any, airflow: Airflow, *, classifier: str, pictures: Sequence[bytes]) -> None:
        self._aws, self._airflow, self.pictures = aws, airflow, pictures
        self.name, self.keys, self.endpoint = classifier, Keys(classifier), endpoint_name(classifier)
        self._shown = Records(aws.s3, aws.bucket, self.keys, RowCache())
        self._expected: dict[str, Mapping[int, Mapping[str, float]]] = {}
        self._bodies: dict[tuple[str, str], dict[str, Any]] = {}  # records by key and ETag
        self._runs, self.second = 0, ""  # the training job of the second model

    def run(self, dag_id: str, **conf: Any) -> Run:
        """Start a run of a Dag."""
        self._runs += 1
        return self._airflow.ordered_run(dag_id, f"{self.name}-{self._runs}", conf=conf)

    def ended(self, run: Run) -> None:
        """Wait for the end of a run, which must be a success."""
        assert run.await_end(seconds=900) == "success", run.explain()

    def roll_back(self) -> None:
        """Go back to the other model: the endpoint and the function are updated."""
        self.ended(self.run("image_classifier_roll_back", classifier=self.name, reason="the other one is wanted"))

    def watch(self, **conf: Any) -> dict[str, str]:
        """One pass of the watch Dag over all classifiers; returns this classifier's open findings."""
        began = now()
        self.run(WATCH, **conf).await_end(seconds=900)
        seen = json.loads(self.read(self.keys.watch_seen))
        assert datetime.fromisoformat(seen["at"]) > began, "the watch Dag did not reach the classifier"
        return dict(seen["findings"])

    @property
    def serving(self) -> str:
        """The training job of the model that the endpoint serves."""
        endpoint = self._aws.sagemaker.describe_endpoint(EndpointName=self.endpoint)
        return str(endpoint["ProductionVariants"][0]["VariantName"])

    def learn_answers(self) -> str:
        """Ask the endpoint, while nothing disturbs it, for each picture; returns the model's training job."""
        job = self.serving
        labels = json.loads(self.read(self.keys.model_file(job)))["labels"]
        self._expected[job] = {index: self._answer(picture, labels) for index, picture in enumerate(self.pictures)}
        return job

    def _answer(self, picture: bytes, labels: Sequence[str]) -> Mapping[str, float]:
        """The probability of each class; empty for a picture that is to be rejected."""
        try:
            body = prepare(picture, PixelParameters(SIDE_PX)).jpeg
        except ImageRejectedError:
            return {}
        answer = self._aws.sagemaker_runtime.invoke_endpoint(
            EndpointName=self.endpoint, ContentType="application/x-image", Body=body
        )
        return dict(zip(labels, json.loads(answer["Body"].read()), strict=True))

    def await_records(self, folder: str) -> None:
        """Wait until each image has a record that is not older, or until no record has been added for a while.

        The uploads have ended. A list of thousands of objects keeps the local AWS from its work, so these are not
        listed again.
        """
        uploaded = self._modified(f"{self.keys.incoming}{folder}/")
        seen, since, looked = -1, now(), now()

        def is_done() -> bool:
            nonlocal seen, since, looked
            if (now() - looked).total_seconds() < LOOK_S:
                return False
            looked, written = now(), self._modified(f"{self.keys.predictions}{folder}/")
            if len(written) != seen:
                seen, since = len(written), now()
            is_complete = all(f"{key}.json" in written and written[f"{key}.json"] >= at for key, at in uploaded.items())
            return is_complete or (now() - since).total_seconds() > QUIET_S

        until(is_done, seconds=900, what="an end of the records")

    def bring_up(self, folder: str) -> tuple[Compared, dict[str, str], int]:
        """Run passes of the watch Dag until each image has its record; returns what there is, findings and passes."""
        passes = 0
        while passes < PASSES:
            self.await_records(folder)
            findings, passes = self.watch(grace_s=0), passes + 1
            self.await_records(folder)
            compared = self.compare(folder)
            if len(compared.records) == compared.images and not compared.wrong and not findings:
                break
        return compared, findings, passes

    def compare(self, folder: str) -> Compared:
        """Compare every image whose key below incoming/ begins so with its record."""
        images = self.listed(f"{self.keys.incoming}{folder}")
        records = self.listed(f"{self.keys.predictions}{folder}")
        picture_of = by_etag(self.pictures)
        with ThreadPoolExecutor(READERS) as readers:
            found = list(readers.map(self._record, sorted(records.items())))
        compared = Compared(len(images), found)
        for key, record in zip(sorted(records), found, strict=True):
            image = record["image"]
            etag = images.get(image["key"])
            belongs = key == f"{self.keys.predictions}{image['key'].removeprefix(self.keys.incoming)}.json"
            if not belongs or etag is None or etag != image["etag"] or not self._is_right(record, picture_of[etag]):
                compared.wrong.append(f"{key}: {record['status']} {record['label']} of {image['etag']}, now {etag}")
        return compared

    def _is_right(self, record: Mapping[str, Any], picture: int) -> bool:
        if record["status"] == "rejected":
            return not any(self._expected[job][picture] for job in self._expected)
        if record["status"] == "failed":
            return False
        expected = self._expected[record["model"]["training_job"]][picture]
        given = {one["label"]: one["probability"] for one in record["probabilities"]}
        return given.keys() == expected.keys() and all(abs(given[k] - expected[k]) < TOLERANCE for k in expected)

    def differing_rows(self, compared: Sequence[Compared]) -> list[str]:
        """Images that the pages show more than once, not at all, or otherwise than their record says."""
        shown = self.shown()
        wanted = {record["image"]["key"]: record for one in compared for record in one.records}
        return [
            key
            for key, record in wanted.items()
            if key not in shown
            or (shown[key].version_id, shown[key].label) != (record["image"]["version_id"], record["label"])
        ]

    def shown(self) -> dict[str, Row]:
        """What the pages show, by the image's key."""
        rows = self._shown.newest().rows
        assert len({row.key for row in rows}) == len(rows), "an image is shown twice"
        return {row.key: row for row in rows}

    def indexed(self) -> list[bytes]:
        """The records of the daily indexes, as JSON lines."""
        return [gzip.decompress(self.read(key)) for key in self.listed(self.keys.predictions_index)]

    def listed(self, prefix: str) -> dict[str, str]:
        """The ETag of each object below a prefix, by its key."""
        return {found["Key"]: found["ETag"].strip('"') for found in self._objects(prefix)}

    def _modified(self, prefix: str) -> dict[str, datetime]:
        """When each object below a prefix was written, by its key without the prefix."""
        return {found["Key"].removeprefix(prefix): found["LastModified"] for found in self._objects(prefix)}

    def _objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self._aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self._aws.bucket, Prefix=prefix)
        return (found for page in pages for found in page.get("Contents", []))

    def _record(self, stored: tuple[str, str]) -> dict[str, Any]:
        """One record, by its key and ETag; it is read once."""
        if stored not in self._bodies:
            self._bodies[stored] = json.loads(self.read(stored[0]))
        return self._bodies[stored]

    def read(self, key: str) -> bytes:
        """The bytes of an object."""
        body: bytes = self._aws.s3.get_object(Bucket=self._aws.bucket, Key=key)["Body"].read()
        return body
