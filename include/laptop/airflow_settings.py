"""The environment of Airflow's components here: its configuration, the connection and the deployment's settings."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from laptop.observability import observability
from laptop.place import ROOT, Place

API_SERVER = "api-server"
COMPONENTS = (API_SERVER, "scheduler", "dag-processor", "triggerer")
USER = "admin"
LOCK_WAIT_S = 60


def airflow_environment(place: Place, ready: Mapping[str, Any], *, component: str) -> dict[str, str]:
    """Variables of one of Airflow's components. ``ready`` is what the local AWS says of itself in ready.json."""
    return {**configuration(place, component=component), **deployment(place, ready)}


def deployment(place: Place, ready: Mapping[str, Any]) -> dict[str, str]:
    """What decides which AWS is used: the connection and IMAGE_CLASSIFIER_*; on AWS these alone differ."""
    return {
        **told_by_the_local_aws(ready),
        "IMAGE_CLASSIFIER_DATA_FOLDER": str(place.images),
        "IMAGE_CLASSIFIER_CLASSIFIERS": os.pathsep.join([str(ROOT / "include/classifiers"), str(place.classifiers)]),
    }


def told_by_the_local_aws(ready: Mapping[str, Any]) -> dict[str, str]:
    """The connection and the settings that follow from ready.json."""
    sagemaker = {"endpoint_url": ready["sagemaker_endpoint_url"]}
    connection = {
        "conn_type": "aws",
        "login": ready["aws"]["AWS_ACCESS_KEY_ID"],
        "password": ready["aws"]["AWS_SECRET_ACCESS_KEY"],
        "extra": {
            "region_name": ready["region"],
            "endpoint_url": ready["endpoint_url"],
            # A bucket in the host name would have to be resolved.
            "config_kwargs": {"s3": {"addressing_style": "path"}},
            "service_config": {"sagemaker": sagemaker, "sagemaker-runtime": sagemaker},
        },
    }
    return {
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        **ready["settings"],
        # What `algorithm: own` runs: the local SageMaker's program, without the rules of AWS's own image.
        "IMAGE_CLASSIFIER_ALGORITHM_IMAGE": (
            f"{ready['account']}.dkr.ecr.{ready['region']}.amazonaws.com/image-classification:1"
        ),
    }


def password(place: Place) -> str:
    """The password of the user ``admin``, made once for this place."""
    return made_secrets(place)["password"]


def _inherited() -> dict[str, str]:
    """This process's variables less those that would reach into another Airflow or AWS, or slow imports down."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW_", "AIRFLOW__", "AWS_", "IMAGE_CLASSIFIER_"))
        and name != "PYTHONDONTWRITEBYTECODE"
    }


def configuration(place: Place, *, component: str = "") -> dict[str, str]:
    """Airflow's own settings: where it keeps things, who may log in, how quickly it looks again."""
    made = made_secrets(place)
    passwords = write_passwords(place)
    options: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": ROOT / "dags",
            "plugins_folder": ROOT / "plugins",
            "load_examples": False,
            "executor": "LocalExecutor",
            "parallelism": 4,
            "execution_api_server_url": f"{place.airflow_url}/execution/",
            "fernet_key": made["fernet_key"],
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": passwords,
        },
        "database": {"sql_alchemy_conn": _database(place, component)},
        "api": {
            "host": "127.0.0.1",
            "port": place.airflow_port,
            "base_url": place.airflow_url,
            "workers": 1,
            "secret_key": made["secret_key"],
        },
        "api_auth": {"jwt_secret": made["jwt_secret"]},
        "logging": {
            "base_log_folder": place.airflow_home / "logs",
            "file_task_handler_new_folder_permissions": "0o700",
            "file_task_handler_new_file_permissions": "0o600",
        },
        "dag_processor": {"refresh_interval": 10, "min_file_process_interval": 10, "parsing_processes": 1},
        "scheduler": {"enable_health_check": False},
        "usage_data_collection": {"enabled": False},
    }
    return {
        **_inherited(),
        "AIRFLOW_HOME": str(place.airflow_home),
        "PYTHONPATH": str(ROOT / "include"),
        **{f"AIRFLOW__{s.upper()}__{o.upper()}": str(v) for s, section in options.items() for o, v in section.items()},
        **observability(os.environ),
    }


def _database(place: Place, component: str) -> str:
    """The URL of Airflow's database, with how long to wait for another process's write before giving up.

    The API server keeps SQLite's five seconds: two of its own requests can wait for each other (see `AirflowApi`), and
    only the one that gives up frees both. Meanwhile the others have to wait longer than it does, or they end.
    """
    wait = "" if component == API_SERVER else f"?timeout={LOCK_WAIT_S}"
    return f"sqlite:///{place.airflow_home}/airflow.db{wait}"


def write_passwords(place: Place) -> Path:
    """The file from which Airflow's simple auth manager knows the user's password."""
    file = place.airflow_home / "passwords.json"
    _write_for_owner(file, {USER: password(place)})
    return file


def made_secrets(place: Place) -> dict[str, str]:
    """Keys and the password, made once, readable by their owner alone."""
    file = place.airflow_home / "secrets.json"
    if not file.exists():
        place.airflow_home.mkdir(parents=True, exist_ok=True)
        made = {name: secrets.token_urlsafe(64) for name in ("jwt_secret", "secret_key")}
        made["fernet_key"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        made["password"] = secrets.token_hex(8)
        _write_for_owner(file, made)
    loaded: dict[str, str] = json.loads(file.read_text())
    return loaded


def _write_for_owner(file: Path, document: dict[str, str]) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        json.dump(document, handle)
