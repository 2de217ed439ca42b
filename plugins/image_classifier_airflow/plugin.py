"""Registers the Airflow plugin; it is the only file below plugins/ that Airflow runs as one."""

import logging
import traceback
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from image_classifier_airflow.pages import URL_PREFIX, URL_ROUTE

log = logging.getLogger(__name__)


class ImageClassifierPlugin(AirflowPlugin):
    """Adds the pages "Image classifiers" to Airflow. Operators, triggers and links need no registration."""

    name = "image_classifier"
    external_views = [  # noqa: RUF012 - Airflow reads and changes this list
        {
            "name": "Image classifiers",
            "href": f"{URL_PREFIX.lstrip('/')}/",  # relative, because Airflow may be served below a path
            "destination": "nav",
            "url_route": URL_ROUTE,
            "category": "browse",
        }
    ]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Return the app of the pages; only the API server reads it, so only that imports FastAPI and boto3 for it.

        Airflow reads it while it starts, and an error here would prevent the start.
        """
        try:
            from image_classifier_airflow.pages.app import pages

            return [{"app": pages(), "url_prefix": URL_PREFIX, "name": "Image classifiers"}]
        except Exception:  # noqa: BLE001 - whatever is wrong with the pages, Airflow's own must start
            log.error("The pages of image classifiers cannot be shown: %s", traceback.format_exc())
            return []
