"""Who may import whom: design first, then code. A row that is missing here is a decision that was not made."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# folder -> everything outside the standard library that its files may import. "a.b" allows a.b and what is below it.
MAY_IMPORT = {
    "dags": {"airflow", "image_classifier", "image_classifier_airflow"},
    "plugins/image_classifier_airflow": {"airflow", "botocore", "image_classifier", "image_classifier_airflow"},
    "include/image_classifier": {"PIL", "botocore", "image_classifier", "pydantic", "yaml"},
    "include/image_classification_algorithm": {
        "PIL",
        "google.protobuf",  # whose errors onnx raises
        "image_classification_algorithm",
        "image_classifier.hyperparameters",  # the contract of the algorithm stands in one place
        "image_classifier.image_list",
        "numpy",
        "onnx",
        "onnxruntime",
        "simplejpeg",
        "starlette",
        "torch",
        "uvicorn",
    },
    "include/local_aws": {
        "boto3",
        "botocore",
        "h11",
        "httpx",
        "hypercorn",
        "local_aws",
        "ministack",
        "pydantic",
        "starlette",
        "urllib3",
        "uvicorn",
        "yaml",
    },
    "include/containers": {"containers", "image_classifier", "laptop"},
    "include/laptop": {
        "PIL",
        "boto3",
        "botocore",
        "image_classifier",
        "laptop",
        "local_aws.children",  # processes that end with their parent; everything else goes over HTTP
        "local_aws.state_folder",  # files for their owner alone
        "numpy",
        "rich",
        "sklearn",
        "yaml",
    },
    "lambda/image_classifier_inference": {
        "PIL",
        "botocore",
        "image_classifier.errors",  # these three are packed into the zip
        "image_classifier.pixels",
        "image_classifier.predictions",
        "image_classifier_inference",
    },
}
TYPES_ONLY = "types_boto3_"  # installed for mypy alone, so only below `if TYPE_CHECKING`
TOO_GENERAL = {"utils", "util", "common", "helpers", "helper", "constants", "base", "core", "manager", "misc"}


def python_files(folder: str) -> list[Path]:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, f"No Python files under {folder}/: is the table out of date?"
    return files


def imported(tree: ast.AST) -> set[str]:
    """Every module that is imported, as a dotted path; of `from a import b` a.b, for b may be a module."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {"." * node.level + f"{node.module or ''}.{alias.name}" for alias in node.names}
    return names


def is_allowed(name: str, allowed: set[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:length]) in allowed for length in range(1, len(parts) + 1))


def without_type_checking(tree: ast.Module) -> ast.Module:
    class Drop(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | None:
            is_typing = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            return None if is_typing else self.generic_visit(node)

    return Drop().visit(tree)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_it_may(folder):
    offences = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in python_files(folder)
        for name in imported(ast.parse(file.read_text()))
        if name.split(".")[0] not in sys.stdlib_module_names
        and not name.startswith(TYPES_ONLY)
        and not is_allowed(name, MAY_IMPORT[folder])
    ]

    assert offences == []


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_stubs_for_type_checking_are_not_needed_to_run(folder):
    offences = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in python_files(folder)
        for name in imported(without_type_checking(ast.parse(file.read_text())))
        if name.startswith(TYPES_ONLY)
    ]

    assert offences == []


def test_every_folder_with_python_has_a_row():
    packages = {
        str(folder.relative_to(ROOT))
        for room in ("include", "lambda", "plugins")
        for folder in (ROOT / room).iterdir()
        if folder.is_dir() and any(folder.rglob("*.py"))
    }

    assert packages | {"dags"} == set(MAY_IMPORT)


def test_nothing_imports_from_the_dag_files():
    files = [file for folder in MAY_IMPORT for file in python_files(folder)]

    assert not [
        file for file in files for name in imported(ast.parse(file.read_text())) if "_dag" in name.split(".")[0]
    ]


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_no_module_has_a_name_that_says_nothing(folder):
    assert [file for file in python_files(folder) if TOO_GENERAL & {file.stem, *file.parent.parts[-1:]}] == []
