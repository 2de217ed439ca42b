"""Builds the environment of Airflow's components: configuration, connection and the deployment's settings."""

import base64
import json
import os
import secrets
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from laptop.observability import observability
from laptop.place import ROOT, LaptopError, Place
from local_aws.processes.state_folder import write_atomically

API_SERVER = "api-server"
COMPONENTS = (API_SERVER, "scheduler", "dag-processor", "triggerer")
USER = "admin"
LOCK_WAIT_S = 60  # for another process's write to Airflow's database
DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
NO_AWS_FILES = {  # so that clients do not read ~/.aws
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def airflow_environment(place: Place, ready: Mapping[str, Any], *, component: str) -> dict[str, str]:
    """Return the environment variables of one of Airflow's components; ``ready`` is the local AWS's ready.json."""
    environment = {**configuration(place), **deployment_variables(ready, component=component), **_folders(place)}
    if component == API_SERVER:
        # It keeps SQLite's five seconds of waiting for another process's write: two of its requests can wait for each
        # other (see `AirflowApi`), and a time-out of one of them ends that. A time-out ends the other components.
        environment[DATABASE] = _database(place)
    return environment


def _folders(place: Place) -> dict[str, str]:
    """Return the variables with the folders of the images and of the classifiers' files."""
    return {
        "IMAGE_CLASSIFIER_DATA_FOLDER": str(place.images),
        "IMAGE_CLASSIFIER_CLASSIFIERS": os.pathsep.join([str(ROOT / "include/classifiers"), str(place.classifiers)]),
    }


def deployment_variables(ready: Mapping[str, Any], *, component: str) -> dict[str, str]:
    """Return connection and settings from ready.json; the API server has a key, and permissions, of its own."""
    key = ready["api_server" if component == API_SERVER else "aws"]
    sagemaker = {"endpoint_url": ready["sagemaker_endpoint_url"]}
    connection = {
        "conn_type": "aws",
        "login": key["AWS_ACCESS_KEY_ID"],
        "password": key["AWS_SECRET_ACCESS_KEY"],
        "extra": {
            "region_name": ready["region"],
            "endpoint_url": ready["endpoint_url"],
            # DNS does not resolve host names with a bucket in them
            "config_kwargs": {"s3": {"addressing_style": "path"}},
            "service_config": {"sagemaker": sagemaker, "sagemaker-runtime": sagemaker},
        },
    }
    registry = f"{ready['account']}.dkr.ecr.{ready['region']}.amazonaws.com"
    return {
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection),
        **ready["settings"],
        "IMAGE_CLASSIFIER_CONSOLE_URL": f"{ready['endpoint_url']}/_console",
        # The image of `algorithm: own`: the local SageMaker runs our program without the built-in image's rules.
        "IMAGE_CLASSIFIER_ALGORITHM_IMAGE": f"{registry}/image-classification:1",
        "IMAGE_CLASSIFIER_PREPARATION_IMAGE": f"{registry}/image-classification-preparation:1",
    }


def leave_own_aws_alone(environ: MutableMapping[str, str]) -> None:
    """Remove the user's own AWS settings, such as a profile that does not exist or an invalid retry mode.

    Everything that runs here uses the local AWS only, with the settings of its ready.json.
    """
    for name in [name for name in environ if name.startswith("AWS_")]:
        del environ[name]
    environ.update(NO_AWS_FILES)


def password(place: Place) -> str:
    """Return the password of the user ``admin``, which is made once for this state folder."""
    return made_secrets(place)["password"]


def _inherited() -> dict[str, str]:
    """Return this process's variables except those that point to another Airflow or AWS, or slow imports down."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW_", "AIRFLOW__", "AWS_", "IMAGE_CLASSIFIER_"))
        and name != "PYTHONDONTWRITEBYTECODE"
    }


def configuration(place: Place) -> dict[str, str]:
    """Return Airflow's own settings: its folders, its users and its intervals."""
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
        "database": {"sql_alchemy_conn": f"{_database(place)}?timeout={LOCK_WAIT_S}"},
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
        **NO_AWS_FILES,
        "AIRFLOW_HOME": str(place.airflow_home),
        "PYTHONPATH": str(ROOT / "include"),
        **{f"AIRFLOW__{s.upper()}__{o.upper()}": str(v) for s, section in options.items() for o, v in section.items()},
        **observability(os.environ),
    }


def _database(place: Place) -> str:
    return f"sqlite:///{place.airflow_home}/airflow.db"


def write_passwords(place: Place) -> Path:
    """Write the file from which Airflow's simple auth manager reads the user's password."""
    file = place.airflow_home / "passwords.json"
    write_atomically(file, json.dumps({USER: password(place)}))
    return file


def made_secrets(place: Place) -> dict[str, str]:
    """Return the keys and the password, which are made once and are readable by their owner alone.

    Raises:
        LaptopError: their file is damaged.

    """
    file = place.airflow_home / "secrets.json"
    if not file.exists():
        place.airflow_home.mkdir(parents=True, exist_ok=True)
        made = {name: secrets.token_urlsafe(64) for name in ("jwt_secret", "secret_key")}
        made["fernet_key"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        made["password"] = secrets.token_hex(8)
        write_atomically(file, json.dumps(made))
    try:
        loaded: dict[str, str] = json.loads(file.read_text())
    except ValueError as error:
        raise LaptopError(
            f"{file} is damaged ({error}). Remove it: the next start makes another password, and keys with which "
            "connections and variables that were made in Airflow cannot be read."
        ) from error
    return loaded
