"""Writes changes that users make on the pages to Airflow's audit log."""

import json

from airflow.models.log import Log
from airflow.utils.session import create_session

from image_classifier_airflow.classifiers import train_and_deploy_dag_id
from image_classifier_airflow.pages.access import Visitor


def note(visitor: Visitor, *, event: str, **what: str) -> None:
    """Add a line to the audit log of the classifier's Dag, before the change is made."""
    with create_session() as session:
        session.add(
            Log(
                event=event,
                owner=visitor.name,
                owner_display_name=visitor.name,
                extra=json.dumps(what),
                dag_id=train_and_deploy_dag_id(visitor.classifier.name),
            )
        )
