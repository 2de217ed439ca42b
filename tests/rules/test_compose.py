"""Checks docker-compose.yaml against the README; `make compose-test` checks that it runs."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
SERVICES = COMPOSE["services"]
ONE_SHOT = {"secrets", "database", "digits"}
DOCKERFILES = [ROOT / "Dockerfile", ROOT / "include/local_aws/Dockerfile"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_more_rights_and_memory_than_it_needs(name):
    service = SERVICES[name]

    assert service["user"].split(":")[0] not in {"root", "0"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert not {"privileged", "network_mode", "extra_hosts"} & {key for key in service if service[key] != "none"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT - {"otel-collector"}))
def test_a_service_that_continues_has_a_health_check_and_is_restarted(name):
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_ports_are_published_for_this_machine_alone():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:${") for port in ports)


def test_what_a_service_mounts_is_defined_and_a_file_that_it_names_exists():
    mounted = [config["source"] for service in SERVICES.values() for config in service.get("configs", [])]

    assert mounted
    assert set(mounted) <= set(COMPOSE["configs"])
    assert all((ROOT / config["file"]).is_file() for config in COMPOSE["configs"].values())


def test_the_file_holds_no_secret():
    settings = [setting for service in SERVICES.values() for setting in service.get("environment", {}).items()]
    named = {name: value for name, value in settings if re.search("PASSWORD|SECRET|KEY|CONN|BROKER|BACKEND", name)}

    assert named
    assert all(re.match(r"(cat )?/opt/[a-z-]+(/secrets)?/[a-z_.]+$", value) for value in named.values()), named


def variables(text: str) -> set[str]:
    return set(re.findall(r"\$\{(\w+)", text))


def test_every_variable_of_the_file_is_explained_in_the_example():
    example = set(re.findall(r"^(?:# )?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

    assert variables((ROOT / "docker-compose.yaml").read_text()) - example == set()


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_an_image_has_base_images_by_argument_and_an_ordinary_user(file):
    text = file.read_text()

    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) <= {"${BASE_IMAGE}", "${BUILD_IMAGE}", "packages"}
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["50000:0"]


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_package_of_an_image_is_checked_by_its_hash_but_torch(file):
    installs = re.findall(r"pip install (.*?)-r ([\w.-]+)", file.read_text().replace("\\\n", " "))

    assert installs
    assert {name for options, name in installs if "--require-hashes" not in options} <= {"requirements-torch.txt"}


def test_the_airflow_image_has_the_packages_that_the_tests_ran_with():
    def pins(name: str) -> set[str]:
        return set((ROOT / name).read_text().replace("\\\n", "").splitlines())

    assert pins("requirements.txt") < pins("requirements-containers.txt")


def test_the_folders_that_are_mounted_are_those_that_are_baked_in():
    override = yaml.safe_load((ROOT / "docker-compose.override.yaml").read_text())
    mounted = {volume.split(":")[1] for volume in override["x-code"]["volumes"]}
    baked = set(
        re.findall(r"^COPY (?:dags|plugins|include|lambda) (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    )

    assert mounted == baked
