"""Checks by its heartbeats whether a component of Airflow is healthy: `python -m laptop.containers.health PART`.

The check takes a tenth of a second; `airflow jobs check` would import Airflow each time.
"""

import http
import json
import sys
import urllib.error
import urllib.request

from laptop.containers.place import ContainerPlace

LIMIT_S = 8


def main() -> None:
    """Exit with 0 if the component is healthy; otherwise with its state as the message."""
    part = sys.argv[1]
    found = state(part, url=f"{ContainerPlace().airflow_url}/api/v2/monitor/health")
    if found != "healthy":
        sys.exit(f"{part} is {found}")


def state(part: str, *, url: str) -> str:
    """Return the state of ``metadatabase``, ``scheduler``, ``dag_processor`` or ``triggerer`` from the API server."""
    try:
        with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:  # noqa: S310 - an address of our own
            health = json.load(answer)
    except urllib.error.HTTPError as error:
        return f"unknown: the API server answered {error.code} {http.HTTPStatus(error.code).phrase}"
    except OSError as error:
        return f"unknown: the API server does not answer ({error})"
    return str(health.get(part, {}).get("status"))


if __name__ == "__main__":
    main()
