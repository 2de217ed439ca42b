"""Shows the list of classifiers that a user may see."""

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Response

from image_classifier_airflow.pages.access import known_classifiers, may
from image_classifier_airflow.pages.rendering import page

router = APIRouter()


@router.get("/")
def show_classifiers(user: GetUserDep) -> Response:
    """Show every classifier whose Dag the user may read."""
    return page("classifiers.html", names=[name for name in known_classifiers() if may(user, name, "GET")])
