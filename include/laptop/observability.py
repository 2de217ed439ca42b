"""Two short variables become what Airflow wants: REMOTE_LOGS (logs in S3) and OTEL_EXPORTER_OTLP_ENDPOINT (metrics)."""

import re
from collections.abc import Mapping

from laptop.place import LaptopError

S3_FOLDER = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\S*)?")
ENDPOINT = (
    "OTEL_EXPORTER_OTLP_ENDPOINT"  # OpenTelemetry's own name; Airflow's libraries read the rest of its family too
)


def observability(environ: Mapping[str, str]) -> dict[str, str]:
    """Airflow's variables for what `environ` asks for; a variable that is empty asks for nothing.

    Raises:
        LaptopError: REMOTE_LOGS is no place in S3.

    """
    return {**_remote_logs(environ.get("REMOTE_LOGS", "")), **_metrics(environ.get(ENDPOINT, ""))}


def _remote_logs(folder: str) -> dict[str, str]:
    """Tasks write to the disk as they run, and to S3 when they end, with the rights of the connection aws_default."""
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
