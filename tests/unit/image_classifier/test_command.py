"""Checks `python -m image_classifier plan`: the plan on stdout, or a sentence and exit code 1."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import NoCredentialsError
from PIL import Image

from image_classifier import __main__ as command
from image_classifier.account.remains import Remains
from image_classifier.plan.plan import Cost, Line, Plan
from image_classifier.plan.preflight_checks.finding import Finding
from image_classifier.teardown.inventory import Folder, Inventory

PLAN = Plan("digits", (Line("training job", "job-1", "started", Cost(1.5, words="1.50 USD")),))
SETTINGS = {
    "BUCKET": "a-bucket",
    "SAGEMAKER_ROLE_ARN": "arn:aws:iam::123456789012:role/sagemaker",
    "FUNCTION_ROLE_ARN": "arn:aws:iam::123456789012:role/function",
    "FAILURE_QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:failures",
}


@pytest.fixture
def planned(monkeypatch):
    """The arguments of every plan; nothing is asked of AWS or fetched."""
    asked = []
    monkeypatch.setattr(
        command.build, "build_plan", lambda classifier, **given: asked.append((classifier, given)) or PLAN
    )
    monkeypatch.setattr(command, "package_of", lambda settings: type("Package", (), {"code_sha256": "code"}))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(f"IMAGE_CLASSIFIER_{name}", value)
    return asked


def test_a_plan_is_printed(planned, capsys):
    assert command.main(["plan", "digits", "--region", "eu-north-1"]) == 0

    ((classifier, given),) = planned
    assert capsys.readouterr().out == PLAN.as_table() + "\n"
    assert classifier.name == "digits"
    assert {given["clients"].s3.meta.region_name, given["prices"].region} == {"eu-north-1"}
    assert given["prices"].pricing.meta.region_name == "eu-central-1"


def test_the_region_may_be_the_environment_s(planned, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-2")

    assert command.main(["plan", "digits"]) == 0
    assert planned[0][1]["prices"].region == "ap-south-2"


@pytest.mark.parametrize(("budget", "code"), [("1.5", 0), ("1", 1)])
def test_a_plan_beyond_the_budget_ends_with_1(planned, capsys, budget, code):
    assert command.main(["plan", "digits", "--region", "us-east-1", "--max-cost-usd", budget]) == code

    shown = capsys.readouterr()
    assert shown.out == PLAN.as_table() + "\n"
    assert ("BudgetError: " in shown.err) == bool(code)


def test_without_a_region_it_says_so(planned, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    assert command.main(["plan", "digits"]) == 1
    assert "You must specify a region. Add --region" in capsys.readouterr().err


def test_without_credentials_it_says_so(planned, capsys, monkeypatch):
    def refused(*_, **__):
        raise NoCredentialsError

    monkeypatch.setattr(command.build, "build_plan", refused)

    assert command.main(["plan", "digits", "--region", "us-east-1"]) == 1
    assert "Unable to locate credentials. Add --profile NAME" in capsys.readouterr().err


def test_a_classifier_that_is_not_there_is_named_with_those_that_are(planned, capsys):
    assert command.main(["plan", "cats", "--region", "us-east-1"]) == 1

    assert "There is no classifier 'cats'; in " in (said := capsys.readouterr().err)
    assert said.endswith("there are: digits.\n")


def test_settings_that_are_missing_are_all_named(planned, capsys, monkeypatch):
    for name in SETTINGS:
        monkeypatch.delenv(f"IMAGE_CLASSIFIER_{name}")

    assert command.main(["plan", "digits", "--region", "us-east-1"]) == 1
    assert all(f"IMAGE_CLASSIFIER_{name} is not set" in capsys.readouterr().err for name in ["BUCKET"])


def test_a_python_without_the_requirements_is_named_with_the_right_one():
    package = Path(command.__file__).parent
    ran = subprocess.run(
        [sys.executable, "-S", "-m", package.name, "plan", "digits"],
        env={"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stderr.startswith(f"{sys.executable} lacks this package's ")) == (1, True), ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_command_is_required(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main([])

    assert ended.value.code == 2


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("not checked", 0), ("missing", 1)])
def test_a_preflight_prints_each_finding_with_its_command(planned, capsys, monkeypatch, status, code):
    asked = []
    finding = Finding("bucket", status, "a-bucket", "aws s3 ls" if status == "missing" else "")
    monkeypatch.setattr(command, "preflight", lambda names, **given: asked.append((names, given)) or [finding])

    assert command.main(["preflight", "--region", "eu-north-1"]) == code

    ((classifiers, given),) = asked
    assert [one.name for one in classifiers] == ["digits"]
    assert given["clients"].s3.meta.region_name == given["clients"].prices.region == "eu-north-1"
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split(None, 1)[0] == status.split()[0]
    assert ("aws s3 ls" in shown[1]) == (status == "missing")
    assert shown[-1].startswith("1 missing: bucket." if code else "Nothing is missing.")


def test_a_preflight_checks_the_permissions_of_the_role_that_is_named(planned, monkeypatch):
    asked, role = [], "arn:aws:iam::123456789012:role/airflow"
    finding = Finding("bucket", "ok", "a-bucket")
    monkeypatch.setattr(command, "preflight", lambda names, **given: asked.append(given["principal"]) or [finding])

    assert command.main(["preflight", "digits", "--region", "eu-north-1", "--principal", role]) == 0
    assert command.main(["preflight", "digits", "--region", "eu-north-1"]) == 0
    assert asked == [role, ""]


def test_a_principal_that_is_no_arn_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["preflight", "--principal", "airflow"])

    assert "'airflow' is not the ARN of a role or user" in capsys.readouterr().err


class Answers:
    """What the stack and its deletion are asked for; nothing of AWS is called."""

    def __init__(self, monkeypatch, remains, *, left=None):
        self.destroyed, self._remains = [], [remains, left or Remains()]
        monkeypatch.setattr(command, "find_remains", lambda account, **_: self._remains.pop(0))
        monkeypatch.setattr(command, "destroy", lambda account, found, keep_data: self.destroyed.append(found))


THERE = Remains(stack="image-classifier (CREATE_COMPLETE)", bucket="a-bucket", object_versions=3)


def test_the_stack_is_deployed_with_parameters_and_prints_its_settings(planned, monkeypatch, capsys):
    asked = []
    outputs = [
        {"OutputKey": "Bucket", "OutputValue": "b", "Description": "IMAGE_CLASSIFIER_BUCKET"},
        {"OutputKey": "AirflowPolicyArn", "OutputValue": "arn:aws:iam::1:policy/p", "Description": "Attach."},
    ]
    monkeypatch.setattr(command, "deploy_stack", lambda client, request: asked.append(request) or "created")
    monkeypatch.setattr(command, "describe_stack", lambda client, name: {"Outputs": outputs})

    assert command.main(["deploy", "--region", "eu-north-1", "--parameter", "InVpc=yes"]) == 0
    (request,) = asked
    assert dict(request.parameters) == {"InVpc": "yes"}
    shown = capsys.readouterr().out
    assert "IMAGE_CLASSIFIER_BUCKET=b\n" in shown
    assert "--policy-arn arn:aws:iam::1:policy/p" in shown


def test_a_deployment_is_removed_when_the_stacks_name_is_typed(planned, monkeypatch, capsys):
    answers = Answers(monkeypatch, THERE)
    monkeypatch.setattr("builtins.input", lambda _: "image-classifier")

    assert command.main(["destroy", "--region", "eu-north-1"]) == 0
    assert answers.destroyed == [THERE]
    assert capsys.readouterr().out.endswith(" object versions)\nNothing is left.\n")


@pytest.mark.parametrize("typed", ["", "yes", "image-classifier-2"])
def test_nothing_is_removed_for_any_other_answer(planned, monkeypatch, capsys, typed):
    answers = Answers(monkeypatch, THERE)
    monkeypatch.setattr("builtins.input", lambda _: typed)

    assert command.main(["destroy", "--region", "eu-north-1"]) == 1
    assert answers.destroyed == []
    assert "Nothing was deleted" in capsys.readouterr().err


def test_nothing_is_removed_where_nobody_can_answer(planned, monkeypatch, capsys):
    answers = Answers(monkeypatch, THERE)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert command.main(["destroy", "--region", "eu-north-1"]) == 1
    assert answers.destroyed == []


@pytest.mark.parametrize(("keep", "code"), [(["--keep-data"], 0), ([], 1)])
def test_a_bucket_that_is_left_is_no_failure_if_its_data_are_kept(monkeypatch, keep, code):
    kept = {"digits": Inventory(folders={"digits/incoming/": Folder(1, 1)})}
    Answers(monkeypatch, THERE, left=Remains(bucket="a-bucket", object_versions=1, classifiers=kept))

    assert command.main(["destroy", "--region", "eu-north-1", "--yes", "image-classifier", *keep]) == code


def folder_of_pictures(folder):
    for name, first in (("cat", 0), ("dog", 40)):
        (folder / name).mkdir(parents=True)
        for number in range(first, first + 20):
            Image.new("RGB", (9, 9), (number, 99, 7)).save(folder / name / f"{number}.png")
    return folder


def test_inspect_looks_at_a_folder_and_asks_no_aws(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(botocore.session.Session, "create_client", lambda *given, **more: pytest.fail("asked AWS"))
    source = folder_of_pictures(tmp_path / "pets")

    code = command.main(["inspect", str(source), "--report", str(tmp_path / "report")])

    said = capsys.readouterr()
    assert code == 0
    assert "2 classes; 40 images are used: " in said.out
    assert "40 of 40 images inspected" in said.err
    assert "40 images of 2 classes in " in said.err
    assert said.out.count("The classes are the folders of the source: 'cat', 'dog'.") == 1
    assert "The classes are" not in said.err
    assert json.loads((tmp_path / "report" / "report.json").read_text())["labels"] == ["cat", "dog"]
    assert (tmp_path / "report" / "report.html").exists()


def test_a_report_that_cannot_be_written_is_named(tmp_path, capsys):
    source = folder_of_pictures(tmp_path / "pets")
    (tmp_path / "file").touch()

    assert command.main(["inspect", str(source), "--report", str(tmp_path / "file" / "report")]) == 1
    assert f"A file cannot be read or written: [Errno 20] Not a directory: '{tmp_path}/file" in capsys.readouterr().err


def test_inspect_takes_fields_of_the_classifier_s_file(tmp_path, capsys):
    folder = folder_of_pictures(tmp_path)
    rows = [f"cat/{number},a" for number in range(20)] + [
        f"dog/{number},{'bc'[number % 2]}" for number in range(40, 60)
    ]
    (folder / "labels.csv").write_text("\n".join(["id,kind", *rows]))
    given = ["--columns", "{path: id, label: kind}", "--classes", "{b: [c]}", "--exclude", "cat/9.png"]

    assert command.main(["inspect", str(folder / "labels.csv"), *given, "--include", "*"]) == 0

    said = capsys.readouterr().out
    assert "2 classes; 39 images are used" in said
    assert "The file renames 'c'." in said


@pytest.mark.parametrize("given", ["path", "{path"])
def test_inspect_refuses_columns_that_are_no_mapping(given, capsys):
    with pytest.raises(SystemExit):
        command.main(["inspect", "labels.csv", "--columns", given])

    assert "argument --columns: " in capsys.readouterr().err


def test_inspect_says_which_options_are_the_fields_of_a_refusal(tmp_path, capsys):
    folder_of_pictures(tmp_path / "images")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/0.png").touch()

    assert command.main(["inspect", str(tmp_path)]) == 1
    assert "(Here these fields are options: --layout.)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere", "DatasetError: Source .*nowhere is no folder"),
        ("s3a://bucket/x/", "ClassifierFileError: .*Write s3://bucket/x/"),
    ],
)
def test_inspect_says_what_is_wrong_with_a_source(source, said, capsys):
    assert command.main(["inspect", source]) == 1
    assert re.search(said, capsys.readouterr().err)
