"""The processes of one laptop, each of which may be killed and started again."""

import json
import os
import signal
from pathlib import Path

from laptop.services import Services

DAGS = Path(__file__).parent / "dags"
# What makes a test wait for minutes elsewhere, and what a machine that has much to do needs; none of it decides what
# is right.
SETTINGS = {
    "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
    "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "300",
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",  # no file changes here
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "3600",
    "AIRFLOW__CORE__PARALLELISM": "12",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "45",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
}
BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"


class ChaosServices(Services):
    """The laptop's services with the Dags of this folder beside the shipped ones."""

    def environment(self, component: str) -> dict[str, str]:
        bundles = [
            {"name": "dags-folder", "classpath": BUNDLE, "kwargs": {}},
            {"name": "chaos", "classpath": BUNDLE, "kwargs": {"path": str(DAGS)}},
        ]
        return {
            **super().environment(component),
            **SETTINGS,
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        }

    def kill(self, component: str) -> None:
        """SIGKILL one part of Airflow and all it started: the scheduler takes its workers with it."""
        child = self.supervisor.children.pop(f"airflow-{component}")
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(timeout_s=10)

    def restart(self, component: str) -> None:
        """As a pod that is lost and comes back elsewhere."""
        self.kill(component)
        self.start_component(component)

    @property
    def calls_log(self) -> Path:
        """Where the local SageMaker names every call that changed something."""
        return self.place.aws_state / "logs" / "sagemaker.log"

    @property
    def fault_plan(self) -> Path:
        return self.place.aws_state / "faults.json"
