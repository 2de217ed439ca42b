"""Checks whether one component of Airflow is healthy: `python -m laptop.containers.health COMPONENT`.

The check takes a tenth of a second; `airflow jobs check` would import Airflow each time.
"""

import sys

from laptop.containers.place import ContainerPlace
from laptop.health import component_states
from laptop.place import LaptopError


def main() -> None:
    """Exit with 0 if the component is healthy, and with its state as the message otherwise.

    The components are ``metadatabase``, ``scheduler``, ``dag_processor`` and ``triggerer``.
    """
    component = sys.argv[1]
    try:
        state = component_states(ContainerPlace().airflow_url).get(component)
    except LaptopError as error:
        sys.exit(f"The state of {component} is unknown: {error}")
    if state != "healthy":
        sys.exit(f"{component} is {state}")


if __name__ == "__main__":
    main()
