"""The prediction record: what is stored about one uploaded image, where, and which of two records wins.

Standard library only: the inference function packs this file; the Dag's check and terminal programs read with it.

A record is JSON, ``schema`` 1. ``status`` says how to read it:

=========  ==================================================================================================
predicted  ``label`` is the most likely class and ``confidence`` its probability
unsure     the same, but the probability is below the classifier's ``unsure_below``: ``label`` is what the model
           leans to, so that a person who checks it starts from there. Act on ``status``, not on ``label`` alone
rejected   no model answered: ``reason`` says why; ``label``, ``confidence`` and ``model`` are null, ``top`` empty
=========  ==================================================================================================
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from types import UnionType
from typing import Any, Literal, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from image_classifier.contracts.errors import PredictionError

SCHEMA = 1
TOP = 5  # classes that a record names, most likely first
MAX_KEY_BYTES = 1024  # an S3 key's limit, in UTF-8
LONG_FOLDER = ".long/"

Status = Literal["predicted", "unsure", "rejected"]
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


@dataclass(frozen=True)
class Candidate:
    """One class and how likely the model takes it to be."""

    label: str
    probability: float


@dataclass(frozen=True)
class Reason:
    """Why an image was not classified: a word for machines, a sentence for people."""

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
    """When it happened (ISO 8601, UTC) and how long it took; ``total_ms`` runs from the upload to the record."""

    uploaded: str
    predicted: str
    endpoint_ms: float | None
    total_ms: float


@dataclass(frozen=True)
class Prediction:
    """One prediction record."""

    status: Status
    image: Image
    times: Times
    label: str | None = None
    confidence: float | None = None
    top: tuple[Candidate, ...] = ()
    reason: Reason | None = None
    model: Model | None = None

    def as_json(self) -> bytes:
        """The record as it is stored: the same record gives the same bytes."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a stored record; fields that this version does not know are ignored.

        Raises:
            PredictionError: it is not a record of schema 1, or one that contradicts itself.

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
) -> Prediction:
    """The record of an answer: ``predicted``, or ``unsure`` when the best probability is below ``unsure_below``.

    Raises:
        PredictionError: the answer does not fit the model's labels.

    """
    check_probabilities(probabilities, labels=labels, training_job=model.training_job)
    # Of equals the class with the lower index comes first, so that the same answer gives the same record.
    ranked = sorted(zip(labels, probabilities, strict=True), key=lambda pair: -pair[1])[:TOP]
    label, confidence = ranked[0]
    return Prediction(
        status="unsure" if confidence < unsure_below else "predicted",
        image=image,
        times=times,
        label=label,
        confidence=confidence,
        top=tuple(Candidate(*pair) for pair in ranked),
        model=model,
    )


def rejected(image: Image, *, code: str, sentence: str, times: Times) -> Prediction:
    """The record of an image that no model was asked about, or that a model did not take."""
    return Prediction(status="rejected", image=image, times=times, reason=Reason(code, sentence))


def parse_probabilities(body: bytes) -> list[float]:
    """The probabilities in an endpoint's answer, in the order of the labels.

    The algorithm answers ``[0.1, 0.9]`` or ``{"prediction": [0.1, 0.9]}``; its Content-Type does not tell which.

    Raises:
        PredictionError: the answer has neither shape.

    """
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise PredictionError(f"The endpoint's answer is not JSON: {body[:80]!r}") from error
    vector = answer.get("prediction") if isinstance(answer, dict) else answer
    if not isinstance(vector, list) or not vector or not all(_is(value, float) for value in vector):
        raise PredictionError(f"The endpoint's answer is not a list of numbers: {body[:80]!r}")
    return [float(value) for value in vector]


def record_key(key: str, *, incoming_prefix: str, predictions_prefix: str) -> str:
    """Where the record of the image ``key`` is stored.

    An image's key may take all of S3's 1,024 bytes and leave no room for the record's prefix and ``.json``; such a
    record is found by the SHA-256 of the image's whole key.

    Raises:
        PredictionError: the image is not below ``incoming_prefix``.

    """
    if not key.startswith(incoming_prefix):
        raise PredictionError(f"Only images below {incoming_prefix} have prediction records, found {key}")
    record = f"{predictions_prefix}{key.removeprefix(incoming_prefix)}.json"
    if len(record.encode()) <= MAX_KEY_BYTES:
        return record
    return f"{predictions_prefix}{LONG_FOLDER}{hashlib.sha256(key.encode()).hexdigest()}.json"


def supersedes(new: Prediction, stored: Prediction) -> bool:
    """Whether ``new`` is about a later upload of the same key than the record that is ``stored``.

    S3 delivers events at least once and in any order. A second delivery of the same event supersedes nothing: its
    record was decided before. The order is the sequencers'; without them (some S3 servers send none) it is the
    uploads' times.
    """
    if new.image.sequencer and stored.image.sequencer:
        return _is_later(new.image.sequencer, stored.image.sequencer)
    return _instant(new.times.uploaded) > _instant(stored.times.uploaded)


def _is_later(sequencer: str, other: str) -> bool:
    """Compare two sequencers of one key.

    AWS (re:Post knowledge center, "s3-duplicate-sqs-messages"; editions of the S3 User Guide, "Event message
    structure"): right-pad the shorter value with zeros, then compare lexicographically. Other editions of the guide
    say left-pad. Right is what fits: the value begins with the upload's second in a fixed number of digits, which
    padding on the left would shift. Values of one length, the usual case, compare the same either way.
    """
    length = max(len(sequencer), len(other))
    return sequencer.upper().ljust(length, "0") > other.upper().ljust(length, "0")


def _instant(iso_time: str) -> datetime:
    try:
        instant = datetime.fromisoformat(iso_time)
    except ValueError as error:
        raise PredictionError(f"A time in a prediction record must be ISO 8601, found {iso_time!r}") from error
    if instant.tzinfo is None:
        raise PredictionError(f"A time in a prediction record must say its offset from UTC, found {iso_time!r}")
    return instant


def check_probabilities(probabilities: Sequence[float], *, labels: Sequence[str], training_job: str) -> None:
    """Nothing if an answer fits its model's labels.

    Raises:
        PredictionError: it does not.

    """
    if len(probabilities) != len(labels) or not labels:
        message = (
            f"The model of {training_job} answered {len(probabilities)} probabilities for {len(labels)} labels; "
            "its model.json does not belong to this model"
        )
        raise PredictionError(message)
    if not all(math.isfinite(value) and 0 <= value <= 1 for value in probabilities):
        raise PredictionError(f"The model of {training_job} answered numbers that are not probabilities")


def _check_consistent(prediction: Prediction) -> None:
    """A reader may rely on what the status promises."""
    answered = (prediction.label, prediction.confidence, prediction.model)
    if prediction.status == "rejected":
        consistent = prediction.reason is not None and answered == (None, None, None) and not prediction.top
    else:
        best = (Candidate(prediction.label, prediction.confidence),) if None not in answered else ()  # type: ignore[arg-type]
        consistent = prediction.reason is None and bool(best) and prediction.top[:1] == best
    if not consistent:
        raise PredictionError(
            f"The prediction record of {prediction.image.key} contradicts its status {prediction.status}"
        )
    _instant(prediction.times.uploaded)
    _instant(prediction.times.predicted)


def _read(part: type[_Part], document: Mapping[str, Any], where: str) -> _Part:
    """Build a dataclass from a JSON object, naming the field that does not fit."""
    hints = get_type_hints(part)
    values = {}
    for name in (field.name for field in fields(part)):  # type: ignore[arg-type]
        if name not in document:
            raise PredictionError(f"The prediction record has no field {where}{name}")
        values[name] = _value(hints[name], document[name], f"{where}{name}")
    return part(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    """``value`` as the annotation ``kind`` asks for it."""
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
    """Whether a JSON value is of ``kind``; JSON's true is no number and its integers are numbers."""
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, float)) if kind is float else isinstance(value, kind)
