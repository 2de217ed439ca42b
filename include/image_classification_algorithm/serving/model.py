"""Holds the loaded model: the bytes of one image in, probabilities out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from image_classification_algorithm import artifact, decoding
from image_classification_algorithm.inference import Session, serving_session
from image_classification_algorithm.networks.onnx_names import INPUT, OUTPUT


@dataclass(frozen=True)
class Model:
    """An ONNX Runtime session and the kind of image that it takes."""

    session: Session
    channels: int
    height: int
    width: int

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """Read the artifact in a folder and predict once, so that the first request is as fast as the next.

        Raises:
            ClientError: the folder holds no model of this program.

        """
        loaded = artifact.read(folder)
        description = loaded.description
        height, width = description.image_size_px
        session = serving_session(loaded.graph, pixels=height * width)
        model = cls(session, description.channels, height, width)
        model.probabilities(np.zeros((model.height, model.width, model.channels), np.uint8))
        return model

    def predict(self, data: bytes) -> list[float]:
        """Return one probability (0 to 1) per class, in the order of the classes.

        The image is resized to the model's size without keeping its aspect ratio.

        Raises:
            UnreadableImageError: the bytes are not an image.

        """
        pixels = decoding.decode(data, channels=self.channels, min_height=self.height, min_width=self.width)
        return self.probabilities(decoding.resized(pixels, height=self.height, width=self.width))

    def probabilities(self, pixels: decoding.Pixels) -> list[float]:
        answer: list[float] = self.session.run([OUTPUT], {INPUT: pixels[None]})[0][0].tolist()
        return answer
