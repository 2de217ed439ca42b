"""Writes how many files its first argument has into count.json below its second: the processing job's program."""

import json
import sys
from pathlib import Path


def main() -> None:
    """The local SageMaker gives paths of this machine for those below /opt/ml."""
    source, target = map(Path, sys.argv[1:])
    count = sum(path.is_file() for path in source.rglob("*"))
    (target / "count.json").write_text(json.dumps({"files": count}))


if __name__ == "__main__":
    main()
