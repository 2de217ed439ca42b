"""Defines the folders and addresses inside the containers; the names are those of docker-compose.yaml."""

from dataclasses import dataclass
from pathlib import Path

from laptop.place import Place


@dataclass(frozen=True)
class ContainerPlace(Place):
    """The services of docker-compose.yaml, as Airflow's containers see them."""

    state: Path = Path("/opt/airflow")

    @property
    def airflow_home(self) -> Path:
        """Return the folder of the volume with Airflow's secrets."""
        return self.state / "secrets"

    @property
    def reports(self) -> None:
        """Return None: a container's files are deleted with it."""

    @property
    def images(self) -> Path:
        return self.state / "data"

    @property
    def held_out(self) -> Path:
        return self.state / "data/held-out"

    @property
    def aws_state(self) -> Path:
        """Return the folder of the local AWS's volume, which is empty without a local AWS."""
        return Path("/opt/local-aws")

    @property
    def database_secrets(self) -> Path:
        return Path("/opt/database-secrets")

    @property
    def broker_secrets(self) -> Path:
        return Path("/opt/broker-secrets")

    @property
    def airflow_url(self) -> str:
        return "http://api-server:8080"
