"""Checks what the pages say of commands, options, fields, folders and defaults against the code."""

import os
import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from image_classifier import __main__ as command
from image_classifier.aws.settings import PREFIX, Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.run_params import run_params_schema
from image_classifier.classifier.tuning import Tuning
from image_classifier.contracts.predictions import Image, Model, Prediction, Times

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
DIGITS = (ROOT / "include/classifiers/digits.yaml").read_text()
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "include").rglob("*.md"), ROOT / ".env.example"]
PAGES += [ROOT / "tests/chaos/README.md"]
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, re.MULTILINE))
# Fields without a default, or whose default says nothing: the file has an example of them.
EXAMPLES = {"layout", "schedule", "retrain_after_corrections", "notify", "canary_s", "vpc_config", "tags"}


def page(name: str) -> str:
    return (ROOT / name).read_text()


def test_make_lists_every_target_that_has_a_description():
    described = re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    listed = subprocess.run(["make", "help"], cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout

    assert re.findall(r"^  make ([a-z0-9-]+) ", listed, re.MULTILINE) == described


def test_the_pages_name_targets_of_the_makefile_only():
    quoted = {
        word
        for one in PAGES
        for word in re.findall(r"(?:`|^    )(?:\w+=\S+ )*make (?:-s )?([a-z][a-z0-9-]*)", one.read_text(), re.MULTILINE)
    }

    assert len(quoted) > 20
    assert quoted - TARGETS == set()


def test_a_fault_test_belongs_to_one_part_that_the_pages_name():
    parts = dict(re.findall(r"^CHAOS_([a-z]+) := (.*)$", MAKEFILE, re.MULTILINE))
    files = [f"test_{name}.py" for names in parts.values() for name in names.split()]

    assert sorted(files) == sorted(file.name for file in (ROOT / "tests/chaos").glob("test_*.py"))
    assert [file for file in files if f"| `{file}` |" not in page("tests/chaos/README.md")] == []
    for name in ("CONTRIBUTING.md", "tests/chaos/README.md"):
        said = re.search(r"make chaos PART=train[^)\n]*(\([^)]*\))?", page(name))[0]
        assert [part for part in parts if part not in said] == [], name


def test_every_subcommand_is_on_the_page_of_the_wheel(capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    subcommands = re.findall(r"^    (\w+)\b", capsys.readouterr().out, re.MULTILINE)
    said = re.search(r"has the subcommands ([^.]*)\.", page("docs/where-airflow-runs.md"))[1]

    assert sorted(re.findall(r"`(\w+)`", said)) == sorted(subcommands)


def commented() -> dict[str, Any]:
    """The fields in the comments of digits.yaml, which stand at the beginning of a line or two blanks deeper."""
    part, kept = "", []
    for line in DIGITS.splitlines():
        found = re.match(r"# ( *)([a-z_0-9]+):( .*)?$", line)
        if found is None:
            continue
        part = part if found[1] else found[2]
        if part in Classifier.model_fields and not (found[1] and part == "seed"):  # after it is an example
            kept.append(line[2:])
    return yaml.safe_load("\n".join(kept))


def leaves(values: dict[str, Any], place: str = "") -> dict[str, Any]:
    """Every value that is no mapping with values, by its dotted place."""
    found = {}
    for name, value in values.items():
        deeper = isinstance(value, dict) and value and name not in EXAMPLES
        found |= leaves(value, f"{place}{name}.") if deeper else {f"{place}{name}": value}
    return found


def test_the_shipped_file_shows_every_field_with_its_default():
    default = Classifier(name="digits", source="digits").model_dump(mode="json", exclude={"name", "hyperparameters"})
    default["tuning"] = Tuning().model_dump(mode="json")
    shown = leaves({**commented(), "source": "digits", "description": "", "calibrate": False})
    shown = {place: value for place, value in shown.items() if not place.startswith("tuning.ranges.optimizer")}

    assert shown.keys() == leaves(default).keys()
    assert {place: shown[place] for place, value in leaves(default).items() if shown[place] != value} == {
        place: shown[place] for place in EXAMPLES
    }


def test_the_page_of_the_record_explains_every_field():
    text = page("docs/prediction-record.md")
    table = set(re.findall(r"`(\w+)`", text.partition("| field | meaning |")[2]))
    example = re.search(r"```json\n(.*?)```", text, re.DOTALL)[1]
    names = [one.name for part in (Prediction, Image, Model, Times) for one in fields(part)]

    assert {one.name for one in fields(Prediction)} - table == set()
    assert [name for name in [*names, "schema"] if f'"{name}":' not in example] == []


def test_the_example_of_compose_has_the_defaults_of_compose():
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", page(".env.example"), re.MULTILINE))
    defaults = dict(re.findall(r"\$\{(\w+):-([^${}]*)\}", page("docker-compose.yaml")))

    assert len(given.keys() & defaults.keys()) > 10
    assert {name: value for name, value in given.items() if defaults.get(name, value) != value} == {}


def test_the_pages_name_every_profile_of_compose():
    services = yaml.safe_load(page("docker-compose.yaml"))["services"].values()
    profiles = {profile for service in services for profile in service.get("profiles", [])}
    said = re.search(r"# What runs beside Airflow.*", page(".env.example"))[0]

    assert [name for name in profiles if name not in said] == []


def test_every_parameter_of_the_template_is_on_the_page_on_aws():
    [block] = re.findall(r"^Parameters:\n(.*?)^Rules:", page("include/infrastructure/template.yaml"), re.M | re.S)

    assert [name for name in re.findall(r"^  (\w+):", block, re.M) if f"`{name}`" not in page("docs/aws.md")] == []


def test_the_lock_files_that_are_written_by_hand_are_named():
    written = set(re.findall(r"-o (\S+)", page("include/laptop/lock.sh")))
    by_hand = {str(file.relative_to(ROOT)) for file in [*ROOT.glob("requirements*.txt"), *ROOT.glob("lambda/*.txt")]}
    said = re.search(r"files are written by hand: ([^)]*)\)", page("CONTRIBUTING.md"))[1]

    assert {name for name in by_hand - written if f"`{name}`" not in said} == set()


def test_a_variable_on_a_page_is_read_somewhere():
    files = [file for folder in ("include", "plugins", "tests") for file in (ROOT / folder).rglob("*.py")]
    code = "\n".join([MAKEFILE, page("docker-compose.yaml"), *(file.read_text() for file in files)])
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    families = r"`((?:LOCAL_|SAGEMAKER_|IMAGE_CLASSIF|AIRFLOW_|REMOTE_|OTEL_|PIP_|BASE_)\w+)"
    named = {name for one in PAGES for name in re.findall(families, one.read_text())}

    assert len(named) > 15
    assert {name for name in named - settings if name.removeprefix(PREFIX) not in code} == set()


def test_a_field_of_the_form_is_named_by_its_title():
    titles = {field["title"] for field in run_params_schema(Classifier(name="digits", source="digits")).values()}
    in_the_form = r"\*\*([^*]+)\*\* in (?:the|its) (?:trigger )?form"
    named = {title for one in PAGES for title in re.findall(in_the_form, one.read_text())}

    assert len(named) > 3
    assert named - titles == set()


def slugs(text: str) -> set[str]:
    """The anchors of a page's headings."""
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in re.findall(r"^#+ (.*)$", text, re.M)}


def test_a_link_to_a_heading_leads_to_one():
    links = [(one, *found) for one in PAGES for found in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", one.read_text())]

    assert links
    assert [
        f"{one.relative_to(ROOT)}: {target}#{anchor}"
        for one, target, anchor in links
        if anchor not in slugs((one.parent / target if target else one).read_text())
    ] == []
