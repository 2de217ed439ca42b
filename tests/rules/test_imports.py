"""Checks which folder may import which; a folder without a row fails."""

import ast
import graphlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# folder -> everything outside the standard library that its files may import. "a.b" allows a.b and what is below it.
MAY_IMPORT = {
    "dags": {"airflow", "image_classifier", "image_classifier_airflow"},
    "plugins/image_classifier_airflow": {
        "airflow",
        "asgiref",  # Airflow's own way to call from a trigger what is not asynchronous
        "botocore",
        "croniter",  # Airflow reads cron expressions with it
        "fastapi",
        "image_classifier",
        "image_classifier_airflow",
        "jinja2",
        "pydantic",
        "starlette",
    },
    "include/image_classifier": {
        "PIL",
        "pi_heif",
        "botocore",
        "image_classifier",
        "jinja2",
        "numpy",
        "obstore",
        "pydantic",
        "scipy",
        "sklearn",
        "tenacity",
        "urllib3",  # whose response an event handler of botocore returns
        "yaml",
    },
    "include/image_classification_algorithm": {
        "PIL",
        "google.protobuf",  # whose errors onnx raises
        "image_classification_algorithm",
        "image_classifier.contracts",  # packed into the image
        "numpy",
        "onnx",
        "onnxruntime",
        "simplejpeg",
        "starlette",
        "torch",
        "uvicorn",
    },
    "include/image_preparation": {"botocore", "image_classifier", "image_preparation", "pydantic"},
    "include/local_aws": {
        "boto3",
        "botocore",
        "h11",
        "httpx",
        "local_aws",
        "ministack",
        "optuna",  # a dependency of the local AWS alone: the search of tuning jobs
        "pydantic",
        "starlette",
        "urllib3",
        "uvicorn",
    },
    "include/laptop": {
        "PIL",
        "boto3",
        "botocore",
        "image_classifier",
        "laptop",
        "local_aws.errors",  # those of processes
        "local_aws.processes",  # child processes, their supervisor and the lock; everything else goes over HTTP
        "numpy",
        "rich",
        "sklearn",
        "yaml",
    },
    "lambda/image_classifier_inference": {
        "PIL",
        "botocore",
        "image_classifier.contracts",  # packed into the zip, without its subfolders
        "image_classifier_inference",
    },
}
# The groups of image_classifier, in the order of the Dag's task groups; each may import those before it.
GROUPS = (
    "contracts",
    "shipped",
    "aws",
    "classifier",
    "corrections",
    "prepare",
    "train",
    "evaluate",
    "promote",
    "deploy",
    "connect",
    "check",
    "classify_existing",
    "watch",
    "gallery",
    "teardown",
    "plan",
    "account",
    "__main__",
)
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


def test_only_evaluation_and_preparation_import_slow_packages():
    slow = {"numpy", "scipy", "sklearn"}
    offences = []
    for file in python_files("include/image_classifier"):
        tree = without_type_checking(ast.parse(file.read_text()))
        inside = {name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for name in imported(node)}
        group = file.relative_to(ROOT / "include/image_classifier").parts[0]
        offences += [
            f"{file.relative_to(ROOT)} imports {name}"
            for name in imported(tree)
            if name.split(".")[0] in slow and (name not in inside or group not in ("prepare", "evaluate"))
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
        for parent in ("include", "lambda", "plugins")
        for folder in (ROOT / parent).iterdir()
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


def image_classifier_modules() -> dict[str, set[str]]:
    """Every module of image_classifier, and the modules of image_classifier that it imports, by dotted path."""
    include = ROOT / "include"
    files = {
        ".".join(file.relative_to(include).with_suffix("").parts).removesuffix(".__init__"): file
        for file in python_files("include/image_classifier")
    }
    return {
        module: {name for found in imported(ast.parse(file.read_text())) if (name := resolved(found, files))}
        for module, file in files.items()
    }


def resolved(name: str, modules: dict[str, Path]) -> str | None:
    """The module that an imported name is, or stands in; None if it is not of image_classifier."""
    parent = name.rpartition(".")[0]
    return name if name in modules else parent if parent in modules else None


def test_a_group_imports_only_the_groups_before_it():
    offences = [
        f"{module} imports {name}"
        for module, names in image_classifier_modules().items()
        for name in names
        if name != "image_classifier" and GROUPS.index(group_of(name)) > GROUPS.index(group_of(module))
    ]

    assert offences == []


def group_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else GROUPS[0]


def test_every_group_stands_in_the_order():
    groups = {group_of(module) for module in image_classifier_modules()}

    assert groups == set(GROUPS)


def test_the_contracts_that_the_function_packs_need_no_subfolder():
    offences = [
        f"{module} imports {name}"
        for module, names in image_classifier_modules().items()
        if module.count(".") == 2 and group_of(module) == "contracts" and not module.endswith("training")
        for name in names
        if name.startswith("image_classifier.contracts.training")
    ]

    assert offences == []


def test_no_modules_import_each_other_in_a_circle():
    imports = image_classifier_modules()

    assert circle_in({module: names - {module, *packages_of(module)} for module, names in imports.items()}) == []


def circle_in(imports: dict[str, set[str]]) -> list[str]:
    """The modules of one import circle, in order; empty if there is none."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def packages_of(module: str) -> set[str]:
    """The packages that a module is in: Python runs them before it."""
    parts = module.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts))}


def test_the_page_for_contributors_has_every_folder_and_group_in_order():
    page = (ROOT / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| `([^`]+)/` \|", page, re.MULTILINE)
    list_of_groups = re.search(r"has one folder per task group.*?\n\n", page, re.DOTALL)[0]
    named = [name for name in re.findall(r"`(\w+)`", list_of_groups) if name in GROUPS]

    assert MAY_IMPORT.keys() - set(rows) == set()
    assert named == [group for group in GROUPS if group != "__main__"]
    kinds = re.search(r"^\| `tests/` \| `([^`]*)`", page, re.MULTILINE)[1].split()
    assert {file.parent.name for file in (ROOT / "tests").glob("*/*.py")} - set(kinds) == set()
