"""Checks the command lines and the environment of the two servers."""

import re
from pathlib import Path

import pytest

from local_aws.__main__ import _parser
from local_aws.servers import LocalAws, Ports, environment, ministack_command, sagemaker_command

ON_A_LAPTOP = LocalAws(Path("/state"), Ports(ministack=4566, sagemaker=4567))
IN_A_CONTAINER = LocalAws(
    Path("/state"), Ports(4566, 4567), bind="0.0.0.0", name="aws.localhost", other_names=("local-aws",)
)
COMMANDS = pytest.mark.parametrize("command_of", [ministack_command, sagemaker_command])


def value(command: list[str], option: str) -> str:
    return command[command.index(option) + 1]


@COMMANDS
def test_both_servers_read_the_fault_plan_of_the_state_folder(command_of) -> None:
    assert value(command_of(ON_A_LAPTOP), "--faults") == "/state/faults.json"


@COMMANDS
def test_both_servers_listen_at_the_given_address(command_of) -> None:
    assert value(command_of(IN_A_CONTAINER), "--bind") == "0.0.0.0"


@COMMANDS
def test_on_a_laptop_both_servers_listen_at_the_loopback_address(command_of) -> None:
    assert value(command_of(ON_A_LAPTOP), "--bind") == "127.0.0.1"


@COMMANDS
def test_both_servers_accept_the_names_that_clients_use(command_of) -> None:
    command = command_of(IN_A_CONTAINER)

    assert (value(command, "--name"), value(command, "--accept-host")) == ("aws.localhost", "local-aws")


def test_functions_and_jobs_reach_the_other_server_at_the_loopback_address() -> None:
    assert value(ministack_command(IN_A_CONTAINER), "--sagemaker-endpoint-url") == "http://127.0.0.1:4567"
    assert value(sagemaker_command(IN_A_CONTAINER), "--aws-endpoint-url") == "http://127.0.0.1:4566"


def test_the_users_own_images_are_options_of_the_sagemaker_server() -> None:
    local_aws = LocalAws(Path("/state"), Ports(ministack=1, sagemaker=2), images=("a=b c", "d=e"))

    images = [word for word in sagemaker_command(local_aws) if word.startswith("--image")]

    assert images == ["--image=a=b c", "--image=d=e"]


def test_the_servers_get_neither_the_users_aws_settings_nor_a_proxy() -> None:
    users = {"AWS_PROFILE": "mine", "HTTPS_PROXY": "http://proxy", "LOCALSTACK_HOST": "x", "PATH": "/bin"}

    found = environment(users)

    assert found["PATH"] == "/bin"
    assert found["AWS_CONFIG_FILE"] == "/dev/null"
    assert not {"AWS_PROFILE", "HTTPS_PROXY", "LOCALSTACK_HOST"} & set(found)


def test_the_page_names_every_option_of_the_command_line() -> None:
    synopsis = (Path(__file__).parents[3] / "include/local_aws/README.md").read_text().split("```")[1]
    options = [action.option_strings[-1] for action in _parser()._actions]

    assert set(re.findall(r"--[a-z-]+", synopsis)) == set(options) - {"--help"}
