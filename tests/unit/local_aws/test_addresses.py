"""Where the local AWS listens, and what it tells whom."""

from pathlib import Path

from local_aws.keys import Key
from local_aws.running import LocalAws, Ports, as_told, ministack_command, sagemaker_command

IN_A_CONTAINER = LocalAws(
    Path("/state"), Ports(4566, 4567), bind="0.0.0.0", name="aws.localhost", other_names=("local-aws",)
)
KEY = Key("AKIA", "secret")


def value(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


def test_others_are_told_its_name():
    told = as_told(IN_A_CONTAINER, settings={}, airflow=KEY, uploads=KEY)

    assert told["endpoint_url"] == told["aws"]["AWS_ENDPOINT_URL"] == "http://aws.localhost:4566"
    assert told["sagemaker_endpoint_url"] == told["aws"]["AWS_ENDPOINT_URL_SAGEMAKER"] == "http://aws.localhost:4567"


def test_functions_and_jobs_which_run_beside_it_need_no_name():
    assert value(ministack_command(IN_A_CONTAINER), "--sagemaker-endpoint-url") == "http://127.0.0.1:4567"
    assert value(sagemaker_command(IN_A_CONTAINER), "--aws-endpoint-url") == "http://127.0.0.1:4566"


def test_both_servers_listen_where_they_are_told():
    assert value(ministack_command(IN_A_CONTAINER), "--bind") == "0.0.0.0"
    assert value(sagemaker_command(IN_A_CONTAINER), "--bind") == "0.0.0.0"


def test_both_servers_know_the_names_that_clients_use():
    for command in (ministack_command(IN_A_CONTAINER), sagemaker_command(IN_A_CONTAINER)):
        assert value(command, "--name") == "aws.localhost"
        assert value(command, "--accept-host") == "local-aws"


def test_on_a_laptop_nobody_else_reaches_it():
    laptop = LocalAws(Path("/state"), Ports(4566, 4567))

    assert value(ministack_command(laptop), "--bind") == value(sagemaker_command(laptop), "--bind") == "127.0.0.1"
    assert as_told(laptop, settings={}, airflow=KEY, uploads=KEY)["endpoint_url"] == "http://127.0.0.1:4566"
