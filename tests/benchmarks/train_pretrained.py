"""Transfer learning on photographs (a folder per class): at least 96 % of 280 dogs and cats within 90 s on two cores.

PYTHONPATH=include .venv/local-aws/bin/python tests/benchmarks/train_pretrained.py FOLDER [hyperparameter=value ...]
"""

import sys
import tempfile
from pathlib import Path

from training_job import prepare_job, run

HYPERPARAMETERS = {"use_pretrained_model": "1", "num_layers": "18", "learning_rate": "0.01", "epochs": "10"}

if __name__ == "__main__":
    given = dict(argument.split("=", 1) for argument in sys.argv[2:])
    images = {
        folder.name: [path.read_bytes() for path in sorted(folder.iterdir())]
        for folder in sorted(Path(sys.argv[1]).iterdir())
        if folder.is_dir()
    }
    with tempfile.TemporaryDirectory() as base:
        prepare_job(Path(base), images, side_px=224, hyperparameters={**HYPERPARAMETERS, **given})
        run(Path(base))
