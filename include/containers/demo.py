"""The demonstration among containers: trains the digits and classifies unseen ones."""

import sys

from containers.place import ContainerPlace
from laptop.demo import train_and_classify
from laptop.images import Demonstration, choose_uploads
from laptop.place import LaptopError


def main() -> None:
    """Run the Dag, upload twenty images and print what became of them."""
    place = ContainerPlace()
    try:
        train_and_classify(place, Demonstration("digits", choose_uploads(place.held_out / "digits")))
    except LaptopError as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    main()
