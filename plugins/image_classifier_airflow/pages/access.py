"""Checks every request: Airflow's login, the permission on the classifier's Dag, and the request's origin.

Airflow does not protect the apps of plugins. A user who may read a classifier's Dag may see its pages, and a user who
may edit the Dag may change what they show.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request

from image_classifier.aws.names import CLASSIFIER_NAME
from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier_airflow.classifiers import train_and_deploy_dag_id

HEADER = "X-Image-Classifier"  # a page of another origin must send a CORS preflight first, which is refused
READING = {"GET", "HEAD", "OPTIONS"}
JSON = "application/json"
BYTES = "application/octet-stream"

Method = Literal["GET", "PUT"]


@dataclass(frozen=True)
class Visitor:
    """The user of a request, and the classifier.

    Attributes:
        name: the user's name in Airflow, which corrections contain.
        may_change: whether the user may edit the classifier's Dag.

    """

    name: str
    classifier: Classifier
    may_change: bool


def may(user: Any, classifier: str, method: Method) -> bool:
    """Return whether Airflow lets the user read (GET) or edit (PUT) the classifier's Dag."""
    dag_id = train_and_deploy_dag_id(classifier)
    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return get_auth_manager().is_authorized_dag(method=method, details=details, user=user)


def known_classifiers() -> list[str]:
    """Return the names of all classifiers with a file."""
    return sorted({file.stem for file in classifier_files(classifier_folders())})


def refuse_foreign(request: Request) -> None:
    """Refuse a change that a page of another origin, or a plain form, may have sent with the user's cookie.

    Airflow does not protect against cross-site request forgery, and browsers send its cookie with requests of all pages
    of the same site, such as another host of the same domain.
    """
    if request.method in READING:
        return
    if HEADER not in request.headers:
        raise HTTPException(403, f"The request lacks the header {HEADER}.")
    if request.headers.get("content-type", "").partition(";")[0].strip() not in (JSON, BYTES):
        raise HTTPException(415, f"The request must be of type {JSON}.")
    if not _is_same_origin(request):
        raise HTTPException(403, "The request comes from a page of another origin.")


def _is_same_origin(request: Request) -> bool:
    """Return whether the request is same-origin; programs, which use a token, send neither header."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin is None:
        return True
    ours = {request.headers.get("host", ""), urlsplit(conf.get("api", "base_url", fallback="") or "").netloc}
    return urlsplit(origin).netloc in ours - {""}


def _visitor(method: Method) -> Callable[..., Visitor]:
    def visitor(classifier: str, user: GetUserDep) -> Visitor:
        """Return the user and the classifier; without permission the answer does not show whether it exists."""
        if not CLASSIFIER_NAME.fullmatch(classifier):
            raise HTTPException(404, "There is no classifier of this name.")
        if not may(user, classifier, method):
            verb = "see" if method == "GET" else "change"
            raise HTTPException(403, f"You may not {verb} the classifier {classifier}: ask for access to its Dag.")
        files = [file for file in classifier_files(classifier_folders()) if file.stem == classifier]
        if not files:
            raise HTTPException(404, f"There is no classifier {classifier}: it has no file.")
        may_change = method == "PUT" or may(user, classifier, "PUT")
        return Visitor(user.get_name(), Classifier.from_file(files[0]), may_change)

    return visitor


Looking = Annotated[Visitor, Depends(_visitor("GET"))]
Changing = Annotated[Visitor, Depends(_visitor("PUT"))]
