"""Runs the demonstration in containers: trains on the digits and classifies held-out ones."""

import argparse
import os
import sys

from laptop.containers.place import ContainerPlace
from laptop.demo import print_farewell, train_and_classify
from laptop.images import Demonstration, choose_uploads
from laptop.place import LaptopError

CLASSIFIER = "digits"


def main() -> None:
    """Run the Dag, upload twenty images and print their predictions."""
    argparse.ArgumentParser(prog="python -m laptop.containers.demo", description=__doc__).parse_args()
    place = ContainerPlace()
    try:
        aws = train_and_classify(place, Demonstration(CLASSIFIER, choose_uploads(place.held_out / CLASSIFIER)))
    except LaptopError as error:
        sys.exit(f"\n{error}")
    where = "Logs       docker compose logs; a task's in Airflow"
    stop = "docker compose down (models and predictions are kept; --volumes deletes them)"
    airflow_url = os.environ["AIRFLOW__API__BASE_URL"]
    print_farewell(place, aws, CLASSIFIER, airflow_url=airflow_url, where=where, stop=stop)


if __name__ == "__main__":
    main()
