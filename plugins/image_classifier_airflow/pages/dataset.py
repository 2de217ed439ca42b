"""Shows a classifier's data set: the images of a version, those left out with the reasons, and the changes."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from image_classifier.aws.names import Keys
from image_classifier.aws.settings import bucket_from_env
from image_classifier.gallery.datasets import (
    SPLITS,
    DatasetVersion,
    DatasetVersions,
    class_rows,
    examples_of,
    new_warnings,
)
from image_classifier_airflow.classifiers import train_and_deploy_dag_id
from image_classifier_airflow.pages import storage
from image_classifier_airflow.pages.access import Looking
from image_classifier_airflow.pages.rendering import page

router = APIRouter()

MOST_VERSIONS = 50
MOST_ROWS = 100  # entries of a list on the page; the report in S3 has up to 500
MOST_GROUPS = 30

Fingerprint = Annotated[str, Query(pattern=r"^([0-9a-f]{8,64})?$")]


@router.get("/{classifier}/dataset")
def show_dataset(visitor: Looking, version: Fingerprint = "") -> Response:
    """Show one version of the data set, by default the newest, compared with the earlier one."""
    name = visitor.classifier.name
    versions = DatasetVersions(storage.s3_of_page(visitor.classifier), bucket_from_env(), Keys(name))
    known = versions.all()
    chosen = _chosen(known, version)
    report = versions.report(chosen.fingerprint) if chosen else None
    if chosen and report is None:
        raise HTTPException(404, f"The report of data set version {chosen.fingerprint} is gone, or of a later release.")
    earlier = known[known.index(chosen) + 1 :] if chosen else []
    before = versions.report(earlier[0].fingerprint) if earlier else None
    return page(
        "dataset.html",
        visitor=visitor,
        active="dataset",
        versions=known[:MOST_VERSIONS],
        chosen=chosen,
        report=report,
        before=earlier[0] if before else None,
        rows=class_rows(report, before) if report else [],
        examples=examples_of(report["classes"]) if report else {},
        pictures=versions.pictures(report) if report else {},
        new_warnings=new_warnings(report, before) if report else set(),
        splits=SPLITS,
        most_rows=MOST_ROWS,
        most_groups=MOST_GROUPS,
        dag_id=train_and_deploy_dag_id(name),
    )


def _chosen(known: list[DatasetVersion], fingerprint: str) -> DatasetVersion | None:
    """Return the version whose fingerprint begins with the given text; the newest if it is empty."""
    found = [version for version in known if version.fingerprint.startswith(fingerprint)]
    if fingerprint and not found:
        raise HTTPException(404, f"There is no data set version {fingerprint}, or its report is gone.")
    return found[0] if found else None
