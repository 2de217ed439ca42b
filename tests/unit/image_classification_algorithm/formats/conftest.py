"""Writes the channels of a job in every format."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from image_classification_algorithm.folders import Folders

IM2REC = Path(__file__).parent / "im2rec"
Configure = Callable[..., Folders]
Feed = Callable[[Path, bytes], None]


@pytest.fixture(scope="session")
def im2rec() -> Path:
    """What MXNet's im2rec made."""
    return IM2REC


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Write inputdataconfig.json: what is given holds for train and validation, or for all four channels of images."""

    def write(*names: str, **given: str) -> Folders:
        folders = Folders(tmp_path / "ml")
        folders.input_data_config.parent.mkdir(parents=True, exist_ok=True)
        channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
        config = {name: {**channel, **given} for name in names or ("train", "validation")}
        folders.input_data_config.write_text(json.dumps(config))
        return folders

    return write


@pytest.fixture
def feed() -> Feed:
    """Make a named pipe and write to it as soon as somebody reads, as SageMaker does."""

    def start(pipe: Path, data: bytes) -> None:
        pipe.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(pipe)
        threading.Thread(target=pipe.write_bytes, args=(data,), daemon=True).start()

    return start
