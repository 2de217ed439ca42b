"""Writes into a bucket what runs, the function and the watch Dag would have written, without any training."""

import gzip
import hashlib
import io
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from PIL import Image, ImageDraw

from image_classifier.aws.names import Keys
from image_classifier.classifier.promotion import Promotion
from image_classifier.connect.deployment import Deployment, write_deployment
from image_classifier.contracts import predictions, record_keys
from image_classifier.contracts.labels import labels_document
from image_classifier.evaluate.answers import answers_of, write_answers
from image_classifier.evaluate.images import VersionImage
from image_classifier.evaluate.report.assemble import Subject, make_report
from image_classifier.evaluate.report.model import DatasetVersion, Epoch, Report, Training
from image_classifier.evaluate.report.scored import ScoredImage, scored_table
from image_classifier.prepare.report.page import data_uris
from image_classifier.promote.compare import Pair
from image_classifier.promote.decide import decide
from image_classifier.promote.decision import Answer
from image_classifier.promote.promotion import keep_decision
from image_classifier.watch.seen import Seen, SeenVersion

SIDE = 96
COLOURS = ("#b45309", "#1d4ed8", "#15803d", "#7e22ce", "#be123c", "#0f766e")
BAD = b"\xff\xd8\xff\xe0not really a JPEG"

Draw = Callable[[str, int], bytes]


def drawn(label: str, number: int) -> bytes:
    """A JPEG that differs for every label and number."""
    image = Image.new("RGB", (SIDE, SIDE), "#e5e7eb")
    at = random.Random(f"{label}{number}")
    x, y, size = at.randint(5, 40), at.randint(5, 40), at.randint(20, 50)
    colour = COLOURS[sum(label.encode()) % len(COLOURS)]
    shape = ImageDraw.Draw(image)
    (shape.ellipse if sum(label.encode()) % 2 else shape.rectangle)((x, y, x + size, y + size), fill=colour)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


class Written:
    """One classifier's objects in a bucket.

    Args:
        s3: the client.
        bucket: the bucket.
        name: the classifier's.
        labels: its classes.
        draw: makes the picture of a label and number.

    """

    def __init__(self, s3: Any, bucket: str, name: str, *, labels: tuple[str, ...], draw: Draw = drawn) -> None:
        self.s3, self.bucket, self.name, self.labels, self.draw = s3, bucket, name, labels, draw
        self.keys, self.random = Keys(name), random.Random(7)

    def put(self, key: str, body: bytes) -> str | None:
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body).get("VersionId")

    def probabilities(self, label: str, *, right: float) -> list[float]:
        """A model's answer that is right with the given probability."""
        sure = self.random.uniform(0.4, 0.999)
        others = [one for one in self.labels if one != label]
        best = label if self.random.random() < right else self.random.choice(others)
        rest = [self.random.random() for _ in self.labels]
        total = sum(value for one, value in zip(self.labels, rest, strict=True) if one != best)
        return [
            sure if one == best else (1 - sure) * value / total for one, value in zip(self.labels, rest, strict=True)
        ]

    # uploads and records

    def uploads(self, count: int, *, job: str, days: int = 1, now: datetime | None = None) -> list[str]:
        """Upload images with their records and log entries; returns their keys, the newest first."""
        now = now or datetime.now(UTC)
        keys = []
        for number in range(count):
            at = now - timedelta(seconds=90 + number * days * 86_400 / count)
            label = self.labels[number % len(self.labels)]
            name = f"camera-{number % 3}/{job[-4:]}-{label}-{number:04d}.jpg"
            keys.append(self.prediction(name, label, at=at, job=job, picture=self.draw(label, number)))
        return keys

    def prediction(
        self, name: str, label: str, *, at: datetime, job: str, picture: bytes, is_bad: bool | None = None
    ) -> str:
        """One uploaded image with thumbnail, record and log entry; unless it is said, every twentieth is rejected."""
        key, rejected = f"{self.keys.incoming}{name}", self.random.random() < 0.05 if is_bad is None else is_bad
        version = self.put(key, BAD if rejected else picture)
        image = predictions.Image(
            bucket=self.bucket, key=key, version_id=version, etag=None, bytes=len(picture), sequencer=None
        )
        times = self.times(at, endpoint_ms=None if rejected else 21.0)
        if rejected:
            sentence = "The file is no image that can be read: it ends after its header."
            self.keep(predictions.rejected(image, code="truncated", sentence=sentence, times=times))
        else:
            self.put(self.thumbnail(key), picture)
            self.keep(self.answered(image, label, job=job, times=times))
        return key

    def answer(self, key: str, label: str, *, job: str) -> None:
        """The record of an image that somebody uploaded."""
        stored = self.s3.get_object(Bucket=self.bucket, Key=key)
        image = predictions.Image(
            bucket=self.bucket, key=key, version_id=stored.get("VersionId"), etag=None, bytes=1, sequencer=None
        )
        self.put(self.thumbnail(key), stored["Body"].read())
        self.keep(self.answered(image, label, job=job, times=self.times(datetime.now(UTC), endpoint_ms=21.0), right=1))

    def answered(
        self, image: predictions.Image, label: str, *, job: str, times: predictions.Times, right: float = 0.9
    ) -> predictions.Prediction:
        model = predictions.Model(job, f"image-classifier-{self.name}", None, "x")
        probabilities = self.probabilities(label, right=right)
        return predictions.predicted(
            image, probabilities=probabilities, labels=self.labels, unsure_below=0.5, model=model, times=times
        )

    def times(self, at: datetime, *, endpoint_ms: float | None) -> predictions.Times:
        seconds = self.random.lognormvariate(-0.3, 0.4)
        uploaded, done = (time.isoformat(timespec="milliseconds") for time in (at, at + timedelta(seconds=seconds)))
        return predictions.Times(uploaded=uploaded, predicted=done, endpoint_ms=endpoint_ms, total_ms=1000 * seconds)

    def keep(self, record: predictions.Prediction) -> None:
        """Store a record and its log entry as the function does."""
        self.put(self.record(record.image.key), record.as_json())
        self.put(record_keys.log_key(record, log_prefix=self.keys.predictions_log), record.as_json())

    def record(self, key: str) -> str:
        return record_keys.record_key(key, incoming_prefix=self.keys.incoming, predictions_prefix=self.keys.predictions)

    def thumbnail(self, key: str) -> str:
        return record_keys.thumbnail_key(
            key, incoming_prefix=self.keys.incoming, thumbnails_prefix=self.keys.thumbnails
        )

    def index(self, day: str, records: Iterator[dict[str, Any]], *, part: str) -> None:
        """A part of a day's index."""
        body = gzip.compress("".join(json.dumps(one) + "\n" for one in records).encode(), compresslevel=1)
        self.put(f"{self.keys.predictions_index}{day}/part-{part}.jsonl.gz", body)

    # data sets

    def dataset(self, fingerprint: str, *, images: int, warnings: tuple[str, ...] = ()) -> None:
        """A version of the data set: its report, with a group of near-duplicates of several classes."""
        first = [self.prepared(label, number) for label in self.labels for number in range(3)]
        pair = (first[0], first[3])
        members = [{"name": f"{label}/1.jpg", "label": label, "split": "train", "key": key} for label, key in pair]
        group = {"id": "0", "images": members, "labels": list(self.labels[:2]), "splits": ["train"]}
        counts = {"used": images, "duplicates": 1, "leaks": 0, "conflicts": 0, "near_test": 0, "rejected": 2}
        report = {
            "schema": 2, "source": "A folder of images", "level": "Each folder is a class.",
            "fingerprint": fingerprint, "pixels": "x", "labels": list(self.labels), "warnings": list(warnings),
            "images": {"train": dict.fromkeys(self.labels, images), "test": dict.fromkeys(self.labels, images // 10)},
            "counts": {**counts, "no_images": 0, "outside_classes": 0},
            "classes": [
                {"label": label, "examples": [key for named, key in first if named == label]} for label in self.labels
            ],
            "rejected": [
                {"name": "cat/<b>.jpg", "label": "cat", "code": "truncated", "reason": "It ends early."},
                {"name": "moving.gif", "label": "cat", "code": "animated", "reason": "It has 12 frames."},
            ],
            "duplicates": [{"name": "cat/2.jpg", "same_as": "cat/1.jpg"}], "leaks": [], "conflicts": [],
            "near_test": [], "near_duplicates": [group], "unusual": [], "ignored": [], "no_images": [], "cameras": {},
            "corrections": {"anna": 12, "ben": 3},
            "traits": [{"code": "grey", "sentence": "grey values only", "count": 2, "examples": ["cat/3.jpg"]}],
        }  # fmt: skip
        self.put(f"{self.keys.version(fingerprint)}report.json", json.dumps(report).encode())
        shown = data_uris({name: self.draw(self.labels[0], 5 + len(name)) for name in ("moving.gif", "cat/3.jpg")})
        images = "".join(f'<img src="{uri}" alt="{name}">' for name, uri in shown.items())
        self.put(f"{self.keys.version(fingerprint)}report.html", images.encode())

    def prepared(self, label: str, number: int) -> tuple[str, str]:
        """A prepared training image; returns its label and key."""
        picture = self.draw(label, number)
        key = f"{self.keys.split('train')}{label}/{hashlib.sha256(picture).hexdigest()[:16]}.jpg"
        self.put(key, picture)
        return label, key

    # models

    def prepared_test_images(self, fingerprint: str, *, of_each: int) -> tuple[str, list[VersionImage]]:
        """A version's prepared test images and its manifest; returns the manifest's sha256 and the images."""
        images = []
        for label in self.labels:
            for number in range(1000, 1000 + of_each):
                picture = self.draw(label, number)
                sha256 = hashlib.sha256(picture).hexdigest()
                key = f"{self.keys.split('test')}{label}/{sha256[:16]}.jpg"
                self.put(key, picture)
                images.append(VersionImage(key, "test", label, sha256, sha256, f"{label}/{label}.{number}.jpg"))
        manifest = hashlib.sha256(fingerprint.encode()).hexdigest()
        return manifest, images

    def model(self, job: str, *, fingerprint: str, right: float, of_each: int = 30, cost: float = 0.21) -> Report:
        """A trained and evaluated model: model.json, report.json, report.html and the answers."""
        self.put(self.keys.model_file(job), labels_document(self.labels))
        manifest, images = self.prepared_test_images(fingerprint, of_each=of_each)
        results = {image.key: self.probabilities(image.label, right=right) for image in images}
        report = make_report(
            Subject(
                classifier=self.name,
                labels=self.labels,
                training=self.training(job, right=right, cost=cost),
                dataset=DatasetVersion(
                    fingerprint=fingerprint, test_manifest=manifest, train=900, validation=90, test=len(images)
                ),
                unsure_below=0.5,
                wanted_accuracy=0.95,
                calibrate=False,
            ),
            test=self.table(images, results),
            validation=None,
        )
        place = self.keys.evaluation(job, test_manifest=manifest)
        write_answers(self.s3, answers_of(images, results, labels=self.labels), bucket=self.bucket, evaluation=place)
        self.put(f"{place}report.html", b"<!doctype html><title>report</title>")
        self.put(f"{place}report.json", report.document())
        return report

    def table(self, images: list[VersionImage], results: dict[str, list[float]]) -> Any:
        places = {label: place for place, label in enumerate(self.labels)}
        scored = [
            ScoredImage(key=image.key, label=places[image.label], probabilities=results[image.key], name=image.name)
            for image in images
        ]
        return scored_table(scored, num_classes=len(self.labels))

    def training(self, job: str, *, right: float, cost: float) -> Training:
        epochs = tuple(
            Epoch(epoch=n, train_accuracy=right * (1 - 0.6 / (n + 1)), validation_accuracy=right * (1 - 0.7 / (n + 1)))
            for n in range(12)
        )
        return Training(
            training_job=job,
            algorithm="builtin",
            hyperparameters={"learning_rate": f"{0.01 * right:.4f}", "epochs": "12", "num_layers": "18"},
            instance_type="ml.g4dn.xlarge",
            seconds=812.0,
            billable_s=760.0,
            cost_usd=cost,
            best_validation_accuracy=right,
            epochs=epochs,
        )

    def decision(
        self,
        report: Report,
        *,
        champion: str | None,
        at: datetime,
        mode: Literal["automatic", "approval", "never"] = "automatic",
        answer: Answer | None = None,
    ) -> None:
        """What was decided about a model, of made-up pairs, and a person's answer."""
        pairs = [
            Pair(label, self.random.random() < report.accuracy.value, self.random.random() < 0.85)
            for label in self.labels
            for _ in range(60)
        ]
        decision = decide(report, rule=Promotion(mode=mode), champion=champion, pairs=pairs if champion else [])
        answered = decision.model_copy(update={"answer": answer})
        keep_decision(self.s3, answered, bucket=self.bucket, at=at)

    def deployment(self, job: str) -> None:
        alias = f"arn:aws:lambda:us-east-1:123456789012:function:image-classifier-{self.name}:live"
        deployment = Deployment(
            classifier=self.name,
            training_job=job,
            endpoint_config=f"image-classifier-{self.name}-0123456789abcdef",
            function_version="3",
            alias_arn=alias,
            bucket=self.bucket,
            instance_type="ml.m5.large",
            usd_per_hour=0.115,
        )
        write_deployment(self.s3, deployment)

    def seen(self, jobs: list[str], *, findings: dict[str, str] | None = None) -> None:
        now = datetime.now(UTC)
        registered = tuple(
            SeenVersion(number=len(jobs) - place, training_job=job, approval="Rejected" if place else "Approved")
            for place, job in enumerate(jobs)
        )
        seen = Seen(at=now, endpoint_status="InService", findings=findings or {}, last_pass=now, versions=registered)
        self.put(self.keys.watch_seen, seen.model_dump_json().encode())
