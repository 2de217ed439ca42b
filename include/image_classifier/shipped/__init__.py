"""Finds the package's files outside the library: the function, classifier files, the template and the Dags."""

from pathlib import Path

_HERE = Path(__file__).parent
_INCLUDE = _HERE.parents[1]  # include/ of a checkout, the plugins folder of MWAA, or site-packages


def shipped(name: str) -> Path:
    """Return the path of ``lambda``, ``classifiers``, ``infrastructure/template.yaml`` or ``dags``.

    They are in this folder in an installed wheel, beside the library on MWAA, and in or beside include/ in a checkout.
    If a name does not exist, its path in a checkout is returned, and the caller's error names it.
    """
    checkout = _INCLUDE.parent / name
    places = (_HERE / name, _INCLUDE / name, checkout)
    return next((place for place in places if place.exists()), checkout)
