"""Defines the prediction record: what is stored about one uploaded image.

Standard library only: the inference function packs this file; the Dag's check and terminal programs read with it.
Where it is stored, and which of two records is current: see ``record_keys`` and ``record_order``.

A record is JSON, ``schema`` 1. ``status`` says how to read it:

=========  ==================================================================================================
predicted  ``label`` is the most likely class and ``confidence`` its probability
unsure     the same, but the probability is below the classifier's ``unsure_below``: ``label`` is what the model
           leans to, so that a person who checks it starts from there. Act on ``status``, not on ``label`` alone
rejected   no model answered: ``reason`` says why; ``label``, ``confidence`` and ``model`` are null, ``top`` empty
failed     the same, but the image is not at fault: every attempt failed. A replay may replace the record
=========  ==================================================================================================
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from types import UnionType
from typing import Any, Literal, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from image_classifier.contracts.answers import at_temperature, check_probabilities, ranked
from image_classifier.contracts.errors import PredictionError

SCHEMA = 1
TOP = 5  # classes that a record names, most likely first
ALL_LABELS = 50  # up to so many classes a record holds every probability
SOME_LABELS = 20  # of more classes it holds those of the most likely ones, and the sum of the rest

ADDED = frozenset({"probabilities", "rest_probability", "temperature", "thumbnail", "generation"})  # since 0.1

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
    """One prediction record.

    Attributes:
        probabilities: of every class up to 50 classes, otherwise of the 20 most likely ones, most likely first. Empty
            in records of earlier releases.
        rest_probability: the sum of the probabilities that `probabilities` leaves out.
        temperature: what the model's logits were divided by; 1 without calibration.
        thumbnail: key of a JPEG of at most 160 x 160 pixels; None if the image could not be decoded.
        generation: 0 for events and replays; for images that were classified again the start of that run, in
            milliseconds since 1970.

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
    temperature: float = 1.0,
) -> Prediction:
    """The record of an answer: ``predicted``, or ``unsure`` when the best probability is below ``unsure_below``.

    Args:
        image: what was classified.
        probabilities: the model's answer.
        labels: of the model, by index.
        unsure_below: from 0 to 1; compared with the probability at the temperature.
        model: which answered.
        times: of the upload and the answer.
        temperature: the record's probabilities are the answer's at this temperature; 1 leaves them as they are.

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
    """The record of an image that no model was asked about, or that a model did not take."""
    return Prediction(status="rejected", image=image, times=times, reason=Reason(code, sentence))


def failed(image: Image, *, code: str, sentence: str, times: Times) -> Prediction:
    """The record of an image whose every attempt failed, although nothing is wrong with the image itself."""
    return Prediction(status="failed", image=image, times=times, reason=Reason(code, sentence))


def instant(iso_time: str) -> datetime:
    """A time of a record.

    Raises:
        PredictionError: it is not ISO 8601, or does not say its offset from UTC.

    """
    try:
        found = datetime.fromisoformat(iso_time)
    except ValueError as error:
        raise PredictionError(f"A time in a prediction record must be ISO 8601, found {iso_time!r}") from error
    if found.tzinfo is None:
        raise PredictionError(f"A time in a prediction record must say its offset from UTC, found {iso_time!r}")
    return found


def _check_consistent(prediction: Prediction) -> None:
    """A reader may rely on what the status promises."""
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
    """Build a dataclass from a JSON object, naming the field that does not fit.

    A field that earlier releases did not write has its default: `ADDED` names them.
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
