"""Checks that the plugin imports nothing where no pages are served, and that its faults spare Airflow's own pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLUGINS = ROOT / "plugins"
# What scheduler, Dag processor, triggerer and tasks ask Airflow's plugin managers for; the API server asks for more.
LOAD = """
import sys
from airflow import plugins_manager
from airflow.sdk import plugins_manager as plugins_of_tasks
from airflow.listeners.listener import get_listener_manager

plugins_manager.ensure_plugins_loaded()
plugins_manager.integrate_macros_plugins()
plugins_of_tasks.integrate_macros_plugins()
plugins_of_tasks.get_hook_lineage_readers_plugins()
plugins_manager.get_global_operator_extra_links()
plugins_manager.get_operator_extra_links()
plugins_manager.get_timetables_plugins()
plugins_manager.get_partition_mapper_plugins()
plugins_manager.get_windows_plugins()
plugins_manager.get_deadline_references_plugins()
plugins_manager.get_priority_weight_strategy_plugins()
get_listener_manager()
loaded = [plugin.name for plugin in plugins_manager._get_plugins()[0]]
"""
HEAVY = "print('has', sorted({'fastapi', 'boto3', 'numpy'} & {name.split('.')[0] for name in sys.modules}))"


@pytest.fixture
def run(tmp_path):
    """Run Python in an Airflow with these plugins; returns the lines that it prints."""

    def run(code, *, plugins=PLUGINS):
        folders = {"PYTHONPATH": ROOT / "include", "AIRFLOW_HOME": tmp_path, "AIRFLOW__CORE__PLUGINS_FOLDER": plugins}
        env = {**os.environ, **{name: str(folder) for name, folder in folders.items()}}
        command = [sys.executable, "-c", LOAD + code]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()

    return run


def test_a_component_that_serves_no_pages_imports_nothing_for_them(run, tmp_path):
    found, heavy = run(f"print('image_classifier' in loaded)\n{HEAVY}")[-2:]
    [without] = run(HEAVY, plugins=tmp_path)[-1:]

    assert found == "True"
    assert heavy == without


def test_the_api_server_gets_the_pages_and_their_entry(run):
    served = "apps, _ = plugins_manager.get_fastapi_plugins()\nprint([app['url_prefix'] for app in apps])"

    assert "'/image-classifier'" in run(served)[-1]


def test_pages_that_cannot_be_imported_leave_airflows_own_pages(run):
    code = """
sys.modules["image_classifier_airflow.pages.app"] = None
from airflow.api_fastapi.app import create_app
from fastapi.testclient import TestClient
client = TestClient(create_app(apps="core"))
print(client.get("/image-classifier/").status_code, client.get("/api/v2/version").status_code)
"""

    assert run(code)[-1].split()[-1] == "200"
