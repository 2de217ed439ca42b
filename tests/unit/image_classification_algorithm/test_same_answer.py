"""Checks that the endpoint's probabilities are those of the job's validation."""

import io

import pytest
import torch
from PIL import Image

from image_classification_algorithm.__main__ import train
from image_classification_algorithm.serving.model import Model
from image_classification_algorithm.training.epochs import Trainer

SIDE_PX = 24


@pytest.fixture
def validated(monkeypatch):
    """What a job's validation computes, in the order of its list."""
    found: list[torch.Tensor] = []

    def validate(self: Trainer, _: int) -> tuple[dict[str, float], float]:
        self.net.eval()
        with torch.inference_mode():
            found.extend(torch.softmax(self.net(inputs), 1) for inputs, _ in self.batches.validating())
        return {"accuracy": 0.5}, 0.5

    monkeypatch.setattr(Trainer, "validate", validate)
    return found


def as_jpeg(png: bytes) -> bytes:
    """A square of exactly `resize`, which is what the package prepares."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).resize((SIDE_PX, SIDE_PX), Image.Resampling.NEAREST).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_endpoint_answers_as_validation_did(make_job, validated, channels, kind):
    resize = SIDE_PX if kind == "JPEG" else 8
    folders = make_job(image_shape=f"{channels},{resize},{resize}", resize=str(resize))
    files = [folders.channel("validation") / f"{number}.png" for number in range(100, 108)]
    for path in folders.channel("validation").iterdir() if kind == "JPEG" else ():
        path.write_bytes(as_jpeg(path.read_bytes()))

    assert train(folders) == 0

    model = Model.load(folders.model)
    answers = torch.tensor([model.predict(path.read_bytes()) for path in files])
    assert torch.allclose(answers, torch.cat(validated), atol=1e-5)
