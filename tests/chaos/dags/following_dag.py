"""Defines another team's Dag that follows the models of the classifier `compared`: its run returns the events."""

from typing import Any

from airflow.sdk import DAG, Asset, task

MODEL = Asset(name="image-classifier/compared/model")


@task
def said(triggering_asset_events: Any = None) -> list[dict[str, Any]]:
    return [event.extra for event in triggering_asset_events[MODEL]]


with DAG(dag_id="follows_compared", schedule=[MODEL], is_paused_upon_creation=False):
    said()
