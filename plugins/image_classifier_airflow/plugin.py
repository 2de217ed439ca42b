"""The entry file: the only one below plugins/ that Airflow runs as a plugin."""

from airflow.plugins_manager import AirflowPlugin


class ImageClassifierPlugin(AirflowPlugin):
    """Shows under Admin, Plugins that this folder was found. Operators, triggers and links need no registration."""

    name = "image_classifier"
