"""Uploads images to the local AWS and prints their prediction records."""

import argparse
import os
import sys
from pathlib import Path

from laptop.containers.place import ContainerPlace
from laptop.demo import Aws, await_records, upload_all
from laptop.place import LaptopError


def main() -> None:
    """Upload every image below the classifier's ``incoming/`` and print its prediction record."""
    parser = argparse.ArgumentParser(prog="python -m laptop.containers.classify", description=__doc__)
    parser.add_argument("classifier")
    parser.add_argument("images", nargs="+", type=Path, metavar="image", help="a file; your data folder is data/own")
    arguments = parser.parse_args()
    missing = [str(image) for image in arguments.images if not image.is_file()]
    if missing:
        sys.exit(f"There is no {', '.join(missing)} in {Path.cwd()} of this container; your data folder is data/own.")
    aws = Aws(ContainerPlace())
    try:
        uploads = upload_all(aws, arguments.classifier, [("classify", image) for image in arguments.images])
        records = await_records(aws, arguments.classifier, uploads)
    except LaptopError as error:
        sys.exit(str(error))
    except PermissionError as error:
        sys.exit(f"{error.filename} may not be read by user {os.getuid()} of this container: set AIRFLOW_UID in .env.")
    for sent in uploads:
        print(f"{sent.file}  s3://{aws.bucket}/{sent.key}\n{records[sent.key].as_json().decode()}")


if __name__ == "__main__":
    main()
