"""Computes the accuracy over the batches of an epoch."""

from torch import Tensor


class Accuracy:
    """The fraction of correct answers: of images, or for multi-label of all (image, class) pairs."""

    def __init__(self, *, top_k: int | None = None) -> None:
        """Count `top_k_accuracy_<k>` as well if k is given."""
        self.names = ["accuracy"] + ([f"top_k_accuracy_{top_k}"] if top_k else [])
        self.top_k = top_k
        self.right = [0] * len(self.names)
        self.total = 0

    def update(self, outputs: Tensor, labels: Tensor) -> None:
        """Add a batch: logits (count, classes), and labels (count) or for multi-label (count, classes)."""
        if labels.is_floating_point():
            self._count(labels.numel(), [(outputs > 0) == labels.bool()])
            return
        ranked = outputs.topk(min(self.top_k or 1, outputs.shape[1]), dim=1).indices == labels[:, None]
        self._count(len(labels), [ranked[:, :1], ranked])

    def values(self) -> dict[str, float]:
        """Return the accuracies (0 to 1) by the metric names of the log lines."""
        return {name: right / max(self.total, 1) for name, right in zip(self.names, self.right, strict=True)}

    def _count(self, total: int, right: list[Tensor]) -> None:
        self.total += total
        self.right = [count + int(found.sum()) for count, found in zip(self.right, right, strict=False)]


def format_values(values: dict[str, float]) -> str:
    """Format the values as a progress line shows them."""
    return "\t".join(f"{name}={value:f}" for name, value in values.items())
