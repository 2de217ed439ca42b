"""What the two servers of the local AWS are started with."""

from pathlib import Path

from local_aws.running import LocalAws, Ports, ministack_command, sagemaker_command


def test_both_servers_read_the_fault_plan_of_the_state_folder() -> None:
    local_aws = LocalAws(Path("/state"), Ports(ministack=1, sagemaker=2))

    for command in (ministack_command(local_aws), sagemaker_command(local_aws)):
        assert command[command.index("--faults") + 1] == "/state/faults.json"


def test_images_of_ones_own_are_the_sagemaker_servers() -> None:
    local_aws = LocalAws(Path("/state"), Ports(ministack=1, sagemaker=2), images=("a=b c", "d=e"))

    assert [word for word in sagemaker_command(local_aws) if word.startswith("--image")] == [
        "--image=a=b c",
        "--image=d=e",
    ]
