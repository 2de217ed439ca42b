"""Checks the labels of an example and converts them to a training target."""

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.formats.channels import CLASS_ID
from image_classification_algorithm.formats.examples import Example


def target(example: Example, *, num_classes: int, multi_label: bool, label_format: str) -> tuple[float, ...]:
    """Return a tuple of one class index, or for multi-label of one 0 or 1 per class.

    Raises:
        ClientError: the labels do not fit num_classes; names the image and its label.

    """
    if not multi_label:
        _check_count(example)
        _check_range(example, limit=num_classes)
        return example.labels
    if label_format == CLASS_ID:
        _check_range(example, limit=num_classes)
        return tuple(float(index in example.labels) for index in range(num_classes))
    if len(example.labels) != num_classes:
        raise ClientError(
            f"Mismatch between number of labels in the multi-label data ({len(example.labels)}) and the num_classes "
            f"parameter ({num_classes})."
        )
    _check_range(example, limit=2)
    return example.labels


def _check_count(example: Example) -> None:
    if len(example.labels) != 1:
        raise ClientError(f"{example.name} has {len(example.labels)} labels, not one; set multi_label to 1.")


def _check_range(example: Example, *, limit: int) -> None:
    for label in example.labels:
        if not label.is_integer() or not 0 <= label < limit:
            raise ClientError(f"{example.name} has label {label:g}; labels are whole numbers from 0 to {limit - 1}.")
