"""Checks what ready.json says, and that the file is whole or absent."""

import json
from pathlib import Path

from local_aws.keys import Key
from local_aws.ready_file import ReadyFile, ready_content
from local_aws.servers import LocalAws, Ports

KEY = Key("AKIA", "secret")
IN_A_CONTAINER = LocalAws(Path("/state"), Ports(4566, 4567), bind="0.0.0.0", name="aws.localhost")
ON_A_LAPTOP = LocalAws(Path("/state"), Ports(4566, 4567))


def test_the_file_appears_whole_and_is_deleted(tmp_path: Path) -> None:
    content = ready_content(ON_A_LAPTOP, settings={"A": "b"}, airflow=KEY, api_server=KEY, uploads=KEY)
    ready = ReadyFile(tmp_path)

    ready.write(content)
    assert json.loads(ready.path.read_text()) == content
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]

    ready.remove()
    ready.remove()
    assert not ready.path.exists()


def test_clients_get_the_name_of_the_local_aws() -> None:
    found = ready_content(IN_A_CONTAINER, settings={}, airflow=KEY, api_server=KEY, uploads=KEY)

    assert found["endpoint_url"] == found["aws"]["AWS_ENDPOINT_URL"] == "http://aws.localhost:4566"
    assert found["sagemaker_endpoint_url"] == found["aws"]["AWS_ENDPOINT_URL_SAGEMAKER"] == "http://aws.localhost:4567"


def test_on_a_laptop_clients_get_the_loopback_address() -> None:
    found = ready_content(ON_A_LAPTOP, settings={}, airflow=KEY, api_server=KEY, uploads=KEY)

    assert found["endpoint_url"] == "http://127.0.0.1:4566"
