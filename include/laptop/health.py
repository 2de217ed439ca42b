"""Asks Airflow's API server which components are healthy: those whose last heartbeat is recent."""

import http
import json
import urllib.error
import urllib.request

from laptop.place import LaptopError, Place

METADATABASE = "metadatabase"
TIMEOUT_S = 8


def component_states(airflow_url: str) -> dict[str, str | None]:
    """Return the state of ``metadatabase``, ``scheduler``, ``dag_processor`` and ``triggerer``; ``healthy`` is good.

    A component that has never run has the state None.

    Raises:
        LaptopError: the API server does not answer, or answers with an error.

    """
    url = f"{airflow_url}/api/v2/monitor/health"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - an address of our own
            components = json.load(answer)
    except urllib.error.HTTPError as error:
        raise LaptopError(f"the API server answered {error.code} {http.HTTPStatus(error.code).phrase}") from error
    except (OSError, ValueError) as error:
        raise LaptopError(f"the API server does not answer ({error})") from error
    return {name: component.get("status") for name, component in components.items()}


def unhealthy_components(place: Place) -> list[str]:
    """Return a phrase for each unhealthy component of Airflow, such as ``triggerer is unhealthy``."""
    try:
        states = component_states(place.airflow_url)
    except LaptopError as error:
        return [str(error)]
    return [
        f"{name.replace('_', ' ')} is {state}"
        for name, state in states.items()
        if name != METADATABASE and state != "healthy"
    ]


def airflow_is_healthy(place: Place) -> bool:
    """Return whether the API server answers, and scheduler, Dag processor and triggerer have sent a heartbeat."""
    return not unhealthy_components(place)


def unhealthy_services(place: Place) -> list[str]:
    """Return a phrase for each part of the local AWS and of Airflow that is not ready."""
    is_ready = (place.aws_state / "ready.json").exists()
    return [*([] if is_ready else ["the local AWS is not ready"]), *unhealthy_components(place)]
