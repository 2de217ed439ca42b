"""Checks the rules of style that a machine can check."""

import ast
import importlib.util
import re
import sys
from pathlib import Path

import pytest
from airflow._shared.module_loading.file_discovery import find_path_from_directory

from image_classifier.aws.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
FOLDERS = ("dags", "plugins", "include", "lambda")
MOST_LINES = 300
LONGER = {"include/image_classifier/contracts/training/hyperparameters.py"}  # one table, which would be worse in two
MOST_FUNCTION_LINES = 40  # less its docstring

ENDPOINT_NAMES = {"endpoint_url", "AWS_ENDPOINT_URL", "localhost", "127.0.0.1"}
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, less the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def names_in(node: ast.AST) -> set[str]:
    """The names, attributes and texts in an expression."""
    found = {getattr(part, "attr", getattr(part, "id", getattr(part, "value", None))) for part in ast.walk(node)}
    return {name for name in found if isinstance(name, str)}


def files(*folders: str, pattern: str = "*.py") -> list[Path]:
    found = [file for folder in folders for file in sorted((ROOT / folder).rglob(pattern))]
    assert found
    return found


@pytest.mark.parametrize("file", files(*FOLDERS), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_is_read_in_one_sitting_and_opens_with_what_it_is_for(file):
    text = file.read_text()

    assert len(text.splitlines()) <= MOST_LINES or str(file.relative_to(ROOT)) in LONGER
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("file", files("plugins", "include", "lambda"), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_function_fits_on_a_screen(file):
    functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, FUNCTION)]

    assert {node.name: lines for node in functions if (lines := code_lines(node)) > MOST_FUNCTION_LINES} == {}


@pytest.mark.parametrize("file", files("dags"), ids=lambda file: file.name)
def test_a_dag_file_is_a_table_of_contents(file):
    text = file.read_text()

    assert file.stem.endswith("_dag")  # another name could shadow a package
    assert 40 <= len(text.splitlines()) <= 130
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.If | ast.Try | ast.While)]


@pytest.mark.parametrize("folder", ["include/image_classifier", "plugins", "dags", "lambda"])
def test_no_code_decides_by_which_aws_it_calls(folder):
    """The connection and the environment decide which AWS is called: no condition looks at an endpoint's URL."""
    offences = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in files(folder)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Compare | ast.If | ast.IfExp | ast.BoolOp | ast.Match)
        if ENDPOINT_NAMES & names_in(node if isinstance(node, ast.Compare) else getattr(node, "test", node))
    ]

    assert offences == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_code_asserts_or_catches_everything_without_a_reason(folder):
    offences = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in files(folder)
        for lines in [file.read_text().splitlines()]
        for node in ast.walk(ast.parse("\n".join(lines)))
        if isinstance(node, ast.Assert) or catches_everything(node, lines)
    ]

    assert offences == []


def catches_everything(node: ast.AST, lines: list[str]) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    is_broad = node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
    passes_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
    return is_broad and not passes_on and not re.search(r"noqa: BLE001\W+\w", lines[node.lineno - 1])


def test_airflow_runs_only_the_entry_file_below_plugins():
    """It runs each file it finds as a top-level module of its stem: a steps/teardown.py would be `teardown`."""
    found = [Path(path) for path in find_path_from_directory(str(ROOT / "plugins"), ".airflowignore", "glob")]

    assert [file.name for file in found if file.suffix == ".py"] == ["plugin.py"]


def test_the_entry_file_is_a_plugin():
    file = ROOT / "plugins/image_classifier_airflow/plugin.py"
    spec = importlib.util.spec_from_file_location("plugin", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert module.ImageClassifierPlugin.name == "image_classifier"


def test_every_setting_is_explained_in_the_example():
    example = (ROOT / ".env.example").read_text()
    wanted = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {f"{PREFIX}CLASSIFIERS"}

    assert set(re.findall(rf"^({PREFIX}\w+)=", example, re.MULTILINE)) == wanted


def test_every_package_has_a_name_of_its_own():
    ours = {
        path.name for parent in ("plugins", "include", "lambda") for path in (ROOT / parent).iterdir() if path.is_dir()
    }

    assert not ours & set(sys.stdlib_module_names)


def test_decisions_are_numbered_once():
    numbers = [file.name.split("-")[0] for file in files("include/decisions", pattern="*.md") if file.name[0].isdigit()]

    assert sorted(set(numbers)) == sorted(numbers)


def repository_texts() -> list[Path]:
    kinds = {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".sh", ".example", ""}
    inside = [file for parent in (*FOLDERS, "tests", ".github") for file in (ROOT / parent).rglob("*")]
    found = [file for file in [*inside, *ROOT.iterdir()] if file.is_file() and file.suffix in kinds]
    return [file for file in found if "__pycache__" not in file.parts]


def test_no_file_names_a_package_registrys_host():
    hosts = re.compile(r"pypi[.]org|files[.]pythonhosted[.]org|download[.]pytorch[.]org")

    assert [file for file in repository_texts() if hosts.search(file.read_text(errors="ignore"))] == []


PAGES = sorted(
    page for folder in ("*.md", "docs/*.md", "include/**/*.md", "tests/**/*.md") for page in ROOT.glob(folder)
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_of_the_repository_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_folder_is_on_the_map_of_the_readme():
    readme = (ROOT / "README.md").read_text()
    folders = {
        path for parent in ("include", "plugins", "lambda") for path in (ROOT / parent).iterdir() if path.is_dir()
    }
    folders |= {ROOT / "dags", ROOT / "docs", ROOT / "tests"}
    names = {
        str(folder.relative_to(ROOT)) for folder in folders if any(folder.glob("*")) and folder.name[0] not in "._"
    }

    assert {name for name in names if f"({name})" not in readme} == set()
