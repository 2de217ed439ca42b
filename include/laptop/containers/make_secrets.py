"""Creates every key and password once, in the volume of its service; docker-compose.yaml runs this program first.

Airflow reads its own with commands (``AIRFLOW__CORE__FERNET_KEY_CMD: cat ...``). The containers of the database and of
the broker see only their own password, so an intruder in one of them does not have Airflow's keys.
"""

import os
import secrets
from pathlib import Path

from laptop.airflow_settings import made_secrets, write_passwords
from laptop.containers.place import ContainerPlace
from local_aws.processes.state_folder import write_atomically


def main() -> None:
    """Create missing secrets; existing ones are kept, because Airflow's database is encrypted with them."""
    place = ContainerPlace()
    os.umask(0o027)
    for name, value in made_secrets(place).items():
        keep(place.airflow_home / name, value)
    write_passwords(place)
    database = keep(place.database_secrets / "password", secrets.token_urlsafe(24))
    broker = keep(place.broker_secrets / "password", secrets.token_urlsafe(24))
    write_atomically(place.broker_secrets / "redis.conf", redis_configuration(broker))
    for file in (*place.database_secrets.iterdir(), *place.broker_secrets.iterdir()):
        file.chmod(0o644)  # readable by another user, whose container has no other secret
    database_url = f"postgresql+psycopg2://airflow:{database}@postgres/airflow"
    write_atomically(place.airflow_home / "database_url", database_url)
    write_atomically(place.airflow_home / "result_backend", f"db+{database_url}")
    write_atomically(place.airflow_home / "broker_url", f"redis://:{broker}@redis:6379/0")


def keep(file: Path, value: str) -> str:
    """Return the content of the file; write ``value`` first if there is no file."""
    if not file.exists():
        write_atomically(file, value)
    return file.read_text()


def redis_configuration(password: str) -> str:
    """Return a configuration that writes to disk before it answers, so that queued tasks survive a restart."""
    return f"requirepass {password}\ndir /data\nappendonly yes\nappendfsync always\n"


if __name__ == "__main__":
    main()
