"""A Dag of somebody else that follows the models of the classifier `judged`: its run returns what the events said."""

from typing import Any

from airflow.sdk import DAG, Asset, task

MODEL = Asset(name="image-classifier/judged/model")


@task
def said(triggering_asset_events: Any = None) -> list[dict[str, Any]]:
    return [event.extra for event in triggering_asset_events[MODEL]]


with DAG(dag_id="follows_judged", schedule=[MODEL], is_paused_upon_creation=False):
    said()
