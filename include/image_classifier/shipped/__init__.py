"""Finds what belongs to the library and is not its code: the function, classifier files, the template and the Dags."""

from pathlib import Path

_HERE = Path(__file__).parent
_INCLUDE = _HERE.parents[1]  # a checkout's include/, MWAA's plugins folder, or site-packages


def shipped(name: str) -> Path:
    """Where ``lambda``, ``classifiers``, ``infrastructure/template.yaml`` or ``dags`` is.

    They lie in this folder in an installed wheel, beside the library on MWAA, and in or beside include/ in a checkout.
    A name that is nowhere gets its place in a checkout, for the error that says so.
    """
    checkout = _INCLUDE.parent / name
    places = (_HERE / name, _INCLUDE / name, checkout)
    return next((place for place in places if place.exists()), checkout)
