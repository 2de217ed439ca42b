"""Reads an endpoint's answer, checks that it fits the model's labels, and names the class.

Standard library only: the inference function packs this file.
"""

import json
import math
from collections.abc import Sequence

from image_classifier.contracts.errors import PredictionError

SMALLEST = 1e-12  # takes the place of a probability that the model rounded to zero, whose logarithm is infinite


def parse_probabilities(body: bytes) -> list[float]:
    """Return the probabilities in an endpoint's answer, one per class, in the order of the labels.

    The algorithm answers ``[0.1, 0.9]`` or ``{"prediction": [0.1, 0.9]}``; its Content-Type does not say which.

    Raises:
        PredictionError: the answer has neither form.

    """
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise PredictionError(f"The endpoint's answer is not JSON: {body[:80]!r}") from error
    vector = answer.get("prediction") if isinstance(answer, dict) else answer
    if not isinstance(vector, list) or not vector or not all(_is_number(value) for value in vector):
        raise PredictionError(f"The endpoint's answer is not a list of numbers: {body[:80]!r}")
    return [float(value) for value in vector]


def check_probabilities(probabilities: Sequence[float], *, num_labels: int, training_job: str) -> None:
    """Check that an answer fits its model's labels.

    Args:
        probabilities: one number for each class, as the endpoint answered.
        num_labels: how many classes the model's labels name.
        training_job: the job that trained the model.

    Raises:
        PredictionError: their number differs, or a number is not between 0 and 1.

    """
    if len(probabilities) != num_labels or not num_labels:
        message = (
            f"The model of {training_job} answered {len(probabilities)} probabilities for {num_labels} labels: the "
            "labels are not those of this model. Train again with force_retrain"
        )
        raise PredictionError(message)
    if not all(math.isfinite(value) and 0 <= value <= 1 for value in probabilities):
        raise PredictionError(f"The model of {training_job} answered numbers that are not probabilities")


def at_temperature(probabilities: Sequence[float], temperature: float) -> list[float]:
    """Return softmax(log p / T), the probabilities at a temperature above 0; the likeliest class stays the likeliest.

    Guo et al., On Calibration of Modern Neural Networks (ICML 2017). It equals softmax(logits / T), because the answer
    of the model is a softmax.
    """
    if temperature == 1:
        return list(probabilities)
    scaled = [math.log(max(value, SMALLEST)) / temperature for value in probabilities]
    highest = max(scaled)
    powers = [math.exp(value - highest) for value in scaled]
    total = sum(powers)
    return [power / total for power in powers]


def ranked(probabilities: Sequence[float], *, labels: Sequence[str]) -> list[tuple[str, float]]:
    """Return (label, probability) pairs, the most likely first; equal probabilities keep the order of the labels."""
    return sorted(zip(labels, probabilities, strict=True), key=lambda pair: -pair[1])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
