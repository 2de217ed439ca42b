"""Names the folders in which a SageMaker container finds its input and leaves its output."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

BASE_VARIABLE = "SAGEMAKER_BASE_DIR"
BASE_DEFAULT = "/opt/ml"


@dataclass(frozen=True)
class Folders:
    """The folders below `base`, by SageMaker's names."""

    base: Path

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the base folder, /opt/ml in a container, from the environment."""
        return cls(Path(environ.get(BASE_VARIABLE) or BASE_DEFAULT))

    @property
    def hyperparameters(self) -> Path:
        return self.base / "input/config/hyperparameters.json"

    @property
    def resource_config(self) -> Path:
        return self.base / "input/config/resourceconfig.json"

    @property
    def input_data_config(self) -> Path:
        return self.base / "input/config/inputdataconfig.json"

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def checkpoints(self) -> Path:
        return self.base / "checkpoints"

    @property
    def failure(self) -> Path:
        return self.base / "output/failure"

    def channel(self, name: str) -> Path:
        return self.base / "input/data" / name
