"""The program of the processing job: writes how many files its first argument has into count.json below its second."""

import json
import os
import sys
from pathlib import Path

ROOT = "/opt/ml"


def main() -> None:
    """Read and write below SAGEMAKER_BASE_DIR, which stands for /opt/ml."""
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    source, target = (base / Path(argument).relative_to(ROOT) for argument in sys.argv[1:])
    count = sum(path.is_file() for path in source.rglob("*"))
    (target / "count.json").write_text(json.dumps({"files": count}))


if __name__ == "__main__":
    main()
