"""Adds buttons to a task's page that lead to the classifier's pages in Airflow."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from airflow.sdk.configuration import conf

from image_classifier_airflow.links import ResourceLink
from image_classifier_airflow.pages import URL_PREFIX, URL_ROUTE

Query = Callable[[Any], Mapping[str, str]]


def page_url(classifier: str, page: str, query: Mapping[str, str] | None = None) -> str:
    """Return the address of a page within Airflow's navigation, which contains the page's own address."""
    base_url = conf.get("api", "base_url", fallback="").rstrip("/")
    address = f"{base_url}/plugin/{URL_ROUTE}{urlsplit(base_url).path}{URL_PREFIX}/{classifier}/{page}"
    return f"{address}?{urlencode(query)}" if query else address


def page_link(name: str, classifier: str, page: str, *, query: Query | None = None) -> ResourceLink:
    """Return the link to a page.

    Args:
        name: the button's text.
        classifier: whose page.
        page: such as gallery.
        query: what the operator's run adds to the address, from its arguments and its result.

    """
    return ResourceLink(name, lambda operator: page_url(classifier, page, query(operator) if query else None))


def dataset_page(classifier: str) -> ResourceLink:
    """Return the address of the data set version that is the task's result."""

    def version(task: Any) -> Mapping[str, str]:
        return {"version": task.result["fingerprint"]} if task.result else {}  # none of a task that failed

    return page_link("Data set", classifier, "dataset", query=version)


def model_page(classifier: str) -> ResourceLink:
    """Return the address of the model of the training job in the task's second argument."""
    return _model_page(classifier, lambda task: task.arguments[1])


def asked_page(classifier: str) -> ResourceLink:
    """Return the address of the model that a person is asked about."""
    return _model_page(classifier, lambda task: task.inputs["job"])


def gallery_page(classifier: str) -> ResourceLink:
    """Return the address of the newest predictions."""
    return page_link("Gallery", classifier, "gallery")


def overview_page(classifier: str) -> ResourceLink:
    """Return the address of the classifier's overview."""
    return page_link("Overview", classifier, "overview")


def _model_page(classifier: str, job_of: Callable[[Any], Mapping[str, str]]) -> ResourceLink:
    return page_link("Evaluation report", classifier, "model", query=lambda task: {"job": job_of(task)["training_job"]})
