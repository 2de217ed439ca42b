"""Registers the Airflow plugin; it is the only file below plugins/ that Airflow runs as one."""

import logging
import traceback
from typing import Any

from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)

URL_PREFIX = "/image-classifier"


class ImageClassifierPlugin(AirflowPlugin):
    """Adds the pages "Image classifiers" to Airflow. Operators, triggers and links need no registration."""

    name = "image_classifier"
    external_views = [  # noqa: RUF012 - Airflow reads and changes this list
        {
            "name": "Image classifiers",
            "href": f"{URL_PREFIX.lstrip('/')}/",  # relative: Airflow may stand below a path
            "destination": "nav",
            "url_route": "image-classifiers",
            "category": "browse",
        }
    ]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The app behind the pages. Only the API server asks for it, so nothing else imports FastAPI or boto3 for it.

        Airflow asks while it starts, and an error here would keep it from starting.
        """
        try:
            from image_classifier_airflow.pages.app import pages

            return [{"app": pages(), "url_prefix": URL_PREFIX, "name": "Image classifiers"}]
        except Exception:  # noqa: BLE001 - whatever is wrong with the pages, Airflow's own must start
            log.error("The pages of image classifiers cannot be shown: %s", traceback.format_exc())
            return []
