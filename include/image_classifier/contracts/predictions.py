"""Defines the prediction record: what is stored about one uploaded image.

It imports the standard library only, as the inference function's zip contains it. ``record_keys`` computes where a
record is stored, ``record_order`` decides which of two records is current.

A record is JSON, ``schema`` 1. ``status`` says how to read it:

=========  ==================================================================================================
predicted  ``label`` is the most likely class and ``confidence`` its probability
unsure     the same, but the probability is below the classifier's ``unsure_below``: ``label`` is only a suggestion
           for the person who checks it. Programs must look at ``status``, not at ``label`` alone
rejected   no model answered: ``reason`` says why; ``label``, ``confidence`` and ``model`` are null, ``top`` empty
failed     the same, but every attempt failed for a reason outside the image. A replay may replace the record
=========  ==================================================================================================
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from types import UnionType
from typing import Any, Literal, NotRequired, Self, TypedDict, TypeVar, Union, get_args, get_origin, get_type_hints

from image_classifier.contracts.answers import at_temperature, check_probabilities, ranked
from image_classifier.contracts.errors import PredictionError

SCHEMA = 1
TOP = 5  # number of classes in `top`
ALL_LABELS = 50  # a model of at most this many classes has all its probabilities in the record
SOME_LABELS = 20  # for more classes the record holds the likeliest ones and the sum of the rest

ADDED = frozenset(
    {"probabilities", "rest_probability", "temperature", "thumbnail", "generation", "traits"}
)  # fields that were added after release 0.1

Status = Literal["predicted", "unsure", "rejected", "failed"]
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Image:
    """The object that was classified. ``sequencer`` orders the events of one key; the size in pixels is upright."""

    bucket: str
    key: str
    version_id: str | None
    etag: str | None
    bytes: int
    sequencer: str | None
    width: int | None = None
    height: int | None = None

    def object_request(self) -> "ObjectRequest":
        """Return GetObject's arguments for this version of the object, or, without versions, for this ETag."""
        request: ObjectRequest = {"Bucket": self.bucket, "Key": self.key}
        if self.version_id:
            request["VersionId"] = self.version_id
        elif self.etag:
            request["IfMatch"] = self.etag
        return request


class ObjectRequest(TypedDict):
    """GetObject's arguments for exactly one upload."""

    Bucket: str
    Key: str
    VersionId: NotRequired[str]
    IfMatch: NotRequired[str]


@dataclass(frozen=True)
class Candidate:
    """One class and its probability, from 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True)
class Reason:
    """Why an image was not classified: an identifier, and a sentence for people."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Model:
    """Which model answered. ``endpoint_config`` is null while an update lets an earlier model answer."""

    training_job: str
    endpoint: str
    endpoint_config: str | None
    labels_sha256: str
    model_package: str | None = None


@dataclass(frozen=True)
class Times:
    """Times (ISO 8601, UTC) and durations of one prediction; ``total_ms`` is the time from the upload to the record."""

    uploaded: str
    predicted: str
    endpoint_ms: float | None
    total_ms: float


@dataclass(frozen=True)
class Prediction:
    """One prediction record.

    Attributes:
        probabilities: one entry per class for up to 50 classes, otherwise the 20 most likely ones; the most likely
            first. Empty in records of earlier releases.
        rest_probability: the sum of the probabilities that `probabilities` leaves out.
        temperature: the number that the model's logits were divided by; 1 without calibration.
        thumbnail: S3 key of a JPEG of at most 160 x 160 pixels; None if the image could not be decoded.
        generation: 0 for events and replays; the start of the run, in milliseconds since 1970, for images that a
            run classified again.
        traits: codes, as in a data set's report, of what makes the answer doubtful: ``dark_16_bit``, if the image has
            16 bits per value, all of them so low that the model saw it nearly black.

    """

    status: Status
    image: Image
    times: Times
    label: str | None = None
    confidence: float | None = None
    top: tuple[Candidate, ...] = ()
    reason: Reason | None = None
    model: Model | None = None
    probabilities: tuple[Candidate, ...] = ()
    rest_probability: float = 0.0
    temperature: float = 1.0
    thumbnail: str | None = None
    generation: int = 0
    traits: tuple[str, ...] = ()

    def as_json(self) -> bytes:
        """Return the bytes of the JSON object that is stored in S3; equal records give equal bytes."""
        return self._json

    @cached_property
    def _json(self) -> bytes:
        """The bytes, which the function writes twice, as the record and as its log entry."""
        # vars() instead of asdict(), and no indentation: both would take ten times as long.
        document = {"schema": SCHEMA} | {one.name: getattr(self, one.name) for one in fields(self)}
        return json.dumps(document, ensure_ascii=False, default=vars).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a stored record; fields that this version does not know are ignored.

        Raises:
            PredictionError: `data` is not a record of schema 1, or its fields contradict its status.

        """
        try:
            document = json.loads(data)
        except ValueError as error:
            raise PredictionError(f"The prediction record is not JSON: {error}") from error
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            found = document.get("schema") if isinstance(document, dict) else type(document).__name__
            raise PredictionError(f"Only prediction records of schema {SCHEMA} can be read, found {found!r}")
        prediction = _read(cls, document, "")
        _check_consistent(prediction)
        return prediction


def predicted(
    image: Image,
    *,
    probabilities: Sequence[float],
    labels: Sequence[str],
    unsure_below: float,
    model: Model,
    times: Times,
    temperature: float = 1.0,
) -> Prediction:
    """Return the record of an answer: ``predicted``, or ``unsure`` if the best probability is below ``unsure_below``.

    Args:
        image: the object that was classified.
        probabilities: the model's answer, one number per class, in the order of `labels`.
        labels: the model's labels, by class index.
        unsure_below: a probability from 0 to 1; it is compared with the best probability at the temperature.
        model: the model that answered.
        times: when the image was uploaded and classified.
        temperature: the answer's logits are divided by it; 1 leaves the probabilities unchanged.

    Raises:
        PredictionError: the answer does not fit the model's labels.

    """
    check_probabilities(probabilities, num_labels=len(labels), training_job=model.training_job)
    tempered = at_temperature(probabilities, temperature)
    candidates = tuple(Candidate(*pair) for pair in ranked(tempered, labels=labels))
    best, kept = candidates[0], candidates if len(labels) <= ALL_LABELS else candidates[:SOME_LABELS]
    return Prediction(
        status="unsure" if best.probability < unsure_below else "predicted",
        image=image,
        times=times,
        label=best.label,
        confidence=best.probability,
        top=candidates[:TOP],
        model=model,
        probabilities=kept,
        rest_probability=sum(candidate.probability for candidate in candidates[len(kept) :]),
        temperature=temperature,
    )


def rejected(image: Image, *, code: str, sentence: str, times: Times) -> Prediction:
    """Return the record of an image that cannot be decoded, or that the model refused."""
    return Prediction(status="rejected", image=image, times=times, reason=Reason(code, sentence))


def failed(image: Image, *, code: str, sentence: str, times: Times) -> Prediction:
    """Return the record of an image for which every attempt failed, for a reason outside the image."""
    return Prediction(status="failed", image=image, times=times, reason=Reason(code, sentence))


def instant(iso_time: str) -> datetime:
    """Parse a time of a record.

    Raises:
        PredictionError: `iso_time` is not ISO 8601, or has no offset from UTC.

    """
    try:
        found = datetime.fromisoformat(iso_time)
    except ValueError as error:
        raise PredictionError(f"A time in a prediction record must be ISO 8601, found {iso_time!r}") from error
    if found.tzinfo is None:
        raise PredictionError(f"A time in a prediction record must say its offset from UTC, found {iso_time!r}")
    return found


def _check_consistent(prediction: Prediction) -> None:
    """Check that the fields fit the status, as the table of this module says."""
    answered = (prediction.label, prediction.confidence, prediction.model)
    if prediction.status in ("rejected", "failed"):
        consistent = prediction.reason is not None and answered == (None, None, None) and not prediction.top
    else:
        best = prediction.top[0] if prediction.top else None
        consistent = (
            prediction.reason is None
            and prediction.model is not None
            and best is not None
            and (best.label, best.probability) == answered[:2]
        )
    if not consistent:
        raise PredictionError(
            f"The prediction record of {prediction.image.key} contradicts its status {prediction.status}"
        )
    instant(prediction.times.uploaded)
    instant(prediction.times.predicted)


def _read(part: type[_Part], document: Mapping[str, Any], where: str) -> _Part:
    """Build a dataclass from a JSON object; an error names the field that does not fit.

    The fields in `ADDED`, which earlier releases did not write, may be missing and then have their defaults.
    """
    hints = get_type_hints(part)
    values = {}
    for name in (field.name for field in fields(part)):  # type: ignore[arg-type]
        if name in document:
            values[name] = _value(hints[name], document[name], f"{where}{name}")
        elif where or name not in ADDED:
            raise PredictionError(f"The prediction record has no field {where}{name}")
    return part(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    """Convert a JSON value to the type of the annotation ``kind``."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (UnionType, Union):
        return None if value is None else _value(arguments[0], value, where)
    if origin is Literal and value in arguments:
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if hasattr(kind, "__dataclass_fields__") and isinstance(value, dict):
        return _read(kind, value, f"{where}.")
    if origin is None and _is(value, kind):
        return value
    raise PredictionError(f"The prediction record's field {where} does not fit: found {value!r}")


def _is(value: Any, kind: type) -> bool:
    """Return whether a JSON value has the type ``kind``; true is not a number, and an integer is also a float."""
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, float)) if kind is float else isinstance(value, kind)
