"""Maps container images to the programs that run in their place."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass

from local_aws.sagemaker.aws import ACCOUNT, REGION
from local_aws.sagemaker.protocol.errors import validation_error

BUILT_IN_ACCOUNT = "811284229777"  # where AWS keeps image-classification in us-east-1
BUILT_IN_REPOSITORY = "image-classification"
DEFAULT_COMMANDS: dict[str, tuple[str, ...]] = {
    BUILT_IN_REPOSITORY: (sys.executable, "-m", "image_classification_algorithm"),
    "image-classification-preparation": (sys.executable, "-m", "image_preparation"),
}
_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<repository>[^:@]+)([:@].+)?"
)


@dataclass(frozen=True)
class Image:
    """An image that this server can run."""

    uri: str
    command: tuple[str, ...]
    built_in: bool


class Images:
    """The images of this machine: ECR repositories, and the program for each."""

    def __init__(self, commands: dict[str, tuple[str, ...]]) -> None:
        """`commands` maps repositories to commands; the word train or serve is appended."""
        self._commands = commands

    def find(self, uri: str) -> Image:
        """Return the image at `uri`; the error for another one is AWS's and lists what is accepted."""
        match = _IMAGE.fullmatch(uri)
        if match is None:
            raise validation_error(
                f"Invalid image URI {uri}. Please provide a valid Amazon Elastic Container Registry URI."
            )
        if match["region"] != REGION:
            raise validation_error(
                f"The image {uri} is in {match['region']}; use one in {REGION}, where this SageMaker is."
            )
        command = self._commands.get(match["repository"])
        if command is None or match["account"] not in {BUILT_IN_ACCOUNT, ACCOUNT}:
            raise validation_error(
                f"Cannot find the image {uri}. This local SageMaker runs: {', '.join(self._known())}."
            )
        built_in = match["repository"] == BUILT_IN_REPOSITORY and match["account"] == BUILT_IN_ACCOUNT
        return Image(uri, command, built_in)

    def _known(self) -> list[str]:
        registry = f"dkr.ecr.{REGION}.amazonaws.com"
        accounts = {name: BUILT_IN_ACCOUNT if name == BUILT_IN_REPOSITORY else ACCOUNT for name in self._commands}
        return [f"{accounts[name]}.{registry}/{name}:1" for name in sorted(self._commands)]


def parse_command(setting: str) -> tuple[str, tuple[str, ...]]:
    """Parse ``repository=program arguments`` of the command line.

    Raises:
        ValueError: it has another form.

    """
    repository, equals, command = setting.partition("=")
    if not equals or not repository or not command.strip():
        raise ValueError(f"{setting!r} is no image; write <repository>=<program and its arguments>")
    return repository, tuple(shlex.split(command))
