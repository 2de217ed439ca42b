"""Checks the rules of tests that a machine can check: short names, and each test asserts something."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_NAME_CHARACTERS = 70
ASSERTING = {"raises", "warns", "fail", "expect", "until"}  # of pytest, of Playwright, and of tests/waiting.py
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


Functions = dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]]


@cache
def functions_below(*folders: str) -> Functions:
    """Every function below these folders, by its name."""
    found: Functions = {}
    for file in sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, FUNCTION):
                found.setdefault(node.name, []).append(node)
    assert len(found) > 1000
    return found


def functions() -> Functions:
    """Every function of the tests, by its name."""
    return functions_below("tests")


def called(function: ast.AST) -> set[str]:
    """The names of the functions and methods that a function calls."""
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {getattr(call, "attr", getattr(call, "id", "")) for call in calls}


def asserts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function asserts something itself by `assert`, `pytest.raises` or a mock's `assert_called`."""
    if any(isinstance(node, ast.Assert) for node in ast.walk(function)):
        return True
    return any(name in ASSERTING or name.startswith("assert_") for name in called(function))


def own_of_tests(names: set[str]) -> set[str]:
    """Those of the names that the tests' own functions have, and no function of the tested code."""
    return names & set(functions()) - set(functions_below("dags", "plugins", "include", "lambda")) - {"open", "read"}


@cache
def helpers() -> frozenset[str]:
    """The names of the tests' own fixtures, functions and methods that assert."""
    names = {name for name, found in functions().items() if any(map(asserts, found)) and not name.startswith("test_")}
    return frozenset(own_of_tests(names))


def uses_helper(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function asserts, or calls or is given something that does."""
    return asserts(function) or bool(helpers() & (called(function) | {argument.arg for argument in function.args.args}))


def test_names_of_tests_are_short_sentences():
    tests = [name for name in functions() if name.startswith("test_")]

    assert [name for name in tests if len(name) > MOST_NAME_CHARACTERS] == []


def test_every_test_asserts_something_itself_or_in_what_it_uses():
    tests = [test for name, found in functions().items() if name.startswith("test_") for test in found]
    used = {test: [one for name in own_of_tests(called(test)) for one in functions()[name]] for test in tests}

    assert [test.name for test in tests if not any(map(uses_helper, [test, *used[test]]))] == []
