"""Translates REMOTE_LOGS (logs in S3) and OTEL_EXPORTER_OTLP_ENDPOINT (metrics) into Airflow's settings."""

import re
from collections.abc import Mapping

from laptop.place import LaptopError

S3_FOLDER = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\S*)?")
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"  # OpenTelemetry's own variable; Airflow's libraries read the related ones too


def observability(environ: Mapping[str, str]) -> dict[str, str]:
    """Return Airflow's variables for those of `environ`; an empty variable counts as absent.

    Raises:
        LaptopError: REMOTE_LOGS is not an S3 address.

    """
    return {**_remote_logs(environ.get("REMOTE_LOGS", "")), **_metrics(environ.get(ENDPOINT, ""))}


def _remote_logs(folder: str) -> dict[str, str]:
    """Return the settings with which tasks copy their log to S3 when they end, over the connection aws_default."""
    if not folder:
        return {}
    if not S3_FOLDER.fullmatch(folder):
        raise LaptopError(
            f"REMOTE_LOGS is {folder!r}; write s3://bucket/prefix, or leave it empty to keep logs on disk."
        )
    return {
        "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
        "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": folder.rstrip("/"),
        "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "aws_default",
    }


def _metrics(endpoint: str) -> dict[str, str]:
    return {"AIRFLOW__METRICS__OTEL_ON": "True"} if endpoint else {}
