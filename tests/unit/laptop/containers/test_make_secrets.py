"""Checks that keys and passwords are made once, and that each container gets only its own."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from laptop.airflow_settings import password
from laptop.containers import make_secrets
from laptop.place import Place


@dataclass(frozen=True)
class Volumes(Place):
    @property
    def airflow_home(self) -> Path:
        return self.state / "airflow"

    @property
    def database_secrets(self) -> Path:
        return self.state / "database"

    @property
    def broker_secrets(self) -> Path:
        return self.state / "broker"


@pytest.fixture
def place(tmp_path, monkeypatch):
    place = Volumes(tmp_path)
    for folder in (place.airflow_home, place.database_secrets, place.broker_secrets):
        folder.mkdir()
    monkeypatch.setattr(make_secrets, "ContainerPlace", lambda: place)
    monkeypatch.setattr(make_secrets.os, "umask", lambda mask: mask)
    return place


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_a_second_start_keeps_what_the_first_made(place):
    make_secrets.main()
    first = [contents(folder) for folder in sorted(place.state.iterdir())]
    make_secrets.main()

    assert [contents(folder) for folder in sorted(place.state.iterdir())] == first


def test_two_installations_share_no_secret(place, tmp_path, monkeypatch):
    make_secrets.main()
    other = Volumes(tmp_path / "other")
    for folder in (other.airflow_home, other.database_secrets, other.broker_secrets):
        folder.mkdir(parents=True)
    monkeypatch.setattr(make_secrets, "ContainerPlace", lambda: other)
    make_secrets.main()

    for folder in ("airflow", "database", "broker"):
        assert not set(contents(place.state / folder).values()) & set(contents(other.state / folder).values())


def test_airflow_and_the_database_agree_on_the_password(place):
    make_secrets.main()

    given = (place.database_secrets / "password").read_text()
    assert contents(place.airflow_home)["database_url"] == f"postgresql+psycopg2://airflow:{given}@postgres/airflow"
    assert (
        contents(place.airflow_home)["result_backend"] == f"db+postgresql+psycopg2://airflow:{given}@postgres/airflow"
    )


def test_airflow_and_the_broker_agree_on_the_password(place):
    make_secrets.main()

    broker = contents(place.broker_secrets)
    assert f"requirepass {broker['password']}\n" in broker["redis.conf"]
    assert contents(place.airflow_home)["broker_url"] == f"redis://:{broker['password']}@redis:6379/0"


def test_the_database_and_the_broker_see_none_of_airflows_keys(place):
    make_secrets.main()

    airflow = contents(place.airflow_home)
    keys = {airflow[name] for name in ("fernet_key", "jwt_secret", "secret_key", "password")}
    seen = "".join([*contents(place.database_secrets).values(), *contents(place.broker_secrets).values()])
    assert len(keys) == 4
    assert not [key for key in keys if key in seen]


def test_the_pages_know_the_same_password_as_a_person(place):
    make_secrets.main()

    assert contents(place.airflow_home)["passwords.json"] == f'{{"admin": "{password(place)}"}}'
    assert contents(place.airflow_home)["password"] == password(place)
