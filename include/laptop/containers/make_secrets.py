"""The first thing that docker-compose.yaml runs: every key and password, made once, each in the volume of who needs it.

Airflow reads its own by commands (``AIRFLOW__CORE__FERNET_KEY_CMD: cat ...``). The database's and the broker's
containers see their own password and nothing else, so whoever gets into one of them does not have Airflow's keys.
"""

import os
import secrets
from pathlib import Path

from laptop.airflow_settings import made_secrets, write_passwords
from laptop.containers.place import ContainerPlace


def main() -> None:
    """Make what is missing; what is there stays, or Airflow could not read its own database."""
    place = ContainerPlace()
    os.umask(0o027)
    for name, value in made_secrets(place).items():
        keep(place.airflow_home / name, value)
    write_passwords(place)
    database = keep(place.database_secrets / "password", secrets.token_urlsafe(24))
    broker = keep(place.broker_secrets / "password", secrets.token_urlsafe(24))
    write(place.broker_secrets / "redis.conf", redis_configuration(broker))
    for file in (*place.database_secrets.iterdir(), *place.broker_secrets.iterdir()):
        file.chmod(0o644)  # read by another user, in a container that sees no other secret
    database_url = f"postgresql+psycopg2://airflow:{database}@postgres/airflow"
    write(place.airflow_home / "database_url", database_url)
    write(place.airflow_home / "result_backend", f"db+{database_url}")
    write(place.airflow_home / "broker_url", f"redis://:{broker}@redis:6379/0")


def keep(file: Path, value: str) -> str:
    """What the file holds; ``value`` if it was not there."""
    if not file.exists():
        write(file, value)
    return file.read_text()


def write(file: Path, value: str) -> None:
    """Whole or not at all."""
    part = file.with_suffix(".part")
    part.write_text(value)
    part.replace(file)


def redis_configuration(password: str) -> str:
    """Every write is on disk before it counts: a task that was handed to the broker survives its restart."""
    return f"requirepass {password}\ndir /data\nappendonly yes\nappendfsync always\n"


if __name__ == "__main__":
    main()
