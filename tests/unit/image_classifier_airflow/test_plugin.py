"""The plugin costs nothing where no pages are served, and a fault in them leaves Airflow's own pages alone."""

import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).parents[3] / "plugins/image_classifier_airflow/plugin.py"
LOAD = f"""
import importlib.util, sys
from airflow.plugins_manager import AirflowPlugin
before = set(sys.modules)
spec = importlib.util.spec_from_file_location("plugin", {str(FILE)!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
plugin = module.ImageClassifierPlugin()
plugin.external_views
"""


def run(code):
    done = subprocess.run([sys.executable, "-c", LOAD + code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_loading_the_plugin_imports_none_of_what_the_pages_need():
    heavy = "{name.split('.')[0] for name in set(sys.modules) - before} & {'fastapi', 'boto3', 'numpy', 'jinja2'}"

    assert run(f"print({heavy})") == "set()"


def test_pages_that_cannot_be_imported_are_left_out():
    broken = "sys.modules['image_classifier_airflow.pages.app'] = None\n"

    assert run(f"{broken}print(plugin.fastapi_apps)").endswith("[]")
