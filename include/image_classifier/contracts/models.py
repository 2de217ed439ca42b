"""Describes one trained model: its labels, and how images become what it sees, as its model.json says.

Standard library and Pillow only: the inference function packs this file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from image_classifier.contracts import pixels
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.pixels import PixelParameters, Prepared

UNSURE_BELOW = 0.5  # the threshold for a model without a proposal


@dataclass(frozen=True)
class Model:
    """One trained model; the position of a label is the index in the model's answer.

    Attributes:
        temperature: the temperature that was fitted on validation images; 1 without one.
        proposed: the report's thresholds for `unsure_below: auto`, without and with the temperature.

    """

    labels: tuple[str, ...]
    labels_sha256: str
    pixels: PixelParameters
    unmodified: bool
    temperature: float = 1.0
    proposed: tuple[float, float] = (UNSURE_BELOW, UNSURE_BELOW)

    def prepare(self, data: bytes) -> Prepared:
        """Prepare an image as the images of this model's training were prepared.

        Raises:
            ImageRejectedError: the bytes are not one complete image within the limits.

        """
        return (pixels.keep if self.unmodified else pixels.prepare)(data, self.pixels)

    def same_preprocessing(self, other: "Model") -> bool:
        """Return whether an image that was prepared for one model is also prepared for the other."""
        return self.unmodified == other.unmodified and (self.unmodified or self.pixels.key() == other.pixels.key())


def parse_model(data: bytes, *, key: str) -> Model:
    """Read model.json.

    Raises:
        PredictionError: the file is not one that the deployment wrote; names its `key`.

    """
    try:
        document = json.loads(data)
        names, sha256 = document["labels"], document["sha256"]
        seen, unmodified = _pixels(document["pixels"]), bool(document["pixels"]["as_is"])
        temperature, proposed = _calibration(document.get("calibration"))
    except (ValueError, LookupError, TypeError) as error:
        raise PredictionError(f"{key} does not describe a model ({error!r}); run the classifier's Dag again") from error
    canonical = json.dumps(names, ensure_ascii=False, separators=(",", ":")).encode()
    if hashlib.sha256(canonical).hexdigest() != sha256:
        raise PredictionError(f"{key} was changed: its labels do not have its own sha256 {sha256}; run the Dag again")
    return Model(tuple(names), sha256, seen, unmodified, temperature=temperature, proposed=proposed)


def _calibration(found: Mapping[str, Any] | None) -> tuple[float, tuple[float, float]]:
    """Return temperature and proposed thresholds; defaults for a model of an earlier release or without test images."""
    if found is None:
        return 1.0, (UNSURE_BELOW, UNSURE_BELOW)
    temperature, before, after = (
        float(found[name]) for name in ("temperature", "unsure_below", "unsure_below_calibrated")
    )
    if not (temperature > 0 and 0 <= before <= 1 and 0 <= after <= 1):
        raise ValueError(f"calibration is {dict(found)}")
    return temperature, (before, after)


def _pixels(found: Mapping[str, Any]) -> PixelParameters:
    return PixelParameters(side_px=found["side_px"], fit=found["fit"], jpeg_quality=found["jpeg_quality"])
