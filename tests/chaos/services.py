"""Starts the services of a laptop, and kills and restarts single components of Airflow."""

import json
import os
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from laptop.services import LOCAL_AWS, Services

DAGS = Path(__file__).parent / "dags"
# Shorter intervals, so that no test waits for minutes, and longer time-outs for a busy machine.
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
    """The services of a laptop with the Dags of this folder beside the shipped ones."""

    webhook_url = ""  # of the connection `inbox`

    def environment(self, component: str) -> dict[str, str]:
        bundles = [
            {"name": "dags-folder", "classpath": BUNDLE, "kwargs": {}},
            {"name": "chaos", "classpath": BUNDLE, "kwargs": {"path": str(DAGS)}},
        ]
        return {
            **super().environment(component),
            **SETTINGS,
            "AIRFLOW_CONN_INBOX": json.dumps({"conn_type": "http", "host": self.webhook_url}),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        }

    def kill(self, component: str) -> None:
        """Send SIGKILL to a component of Airflow and to all it started, such as the scheduler's workers."""
        self._kill(f"airflow-{component}")

    def restart_local_aws(self, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Send SIGKILL to the local AWS, with which its servers, functions and jobs end, and start it again."""
        self._kill(LOCAL_AWS)
        meanwhile()
        self.start_local_aws()
        self.await_local_aws()

    def _kill(self, name: str) -> None:
        child = self.supervisor.children.pop(name)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(timeout_s=10)

    def restart(self, component: str) -> None:
        """Kill a component and start it again, as Kubernetes does with a lost pod."""
        self.kill(component)
        self.start_component(component)

    def backdate(self, key: str, *, by: timedelta) -> None:
        """Let an object have been written earlier; the local AWS reads this when it starts."""
        [file] = (self.place.aws_state / "ministack" / "s3").glob(f"*/*/{key}.meta.json")
        document = json.loads(file.read_text())
        for entry in (document, *document["versions"]):
            written = datetime.fromisoformat(entry["last_modified"]) - by
            entry["last_modified"] = f"{written:%Y-%m-%dT%H:%M:%S}.000Z"
        file.write_text(json.dumps(document))

    @property
    def calls_log(self) -> Path:
        """The local SageMaker's log, which has every call that changed a resource."""
        return self.place.aws_state / "logs" / "sagemaker.log"

    @property
    def fault_plan(self) -> Path:
        return self.place.aws_state / "faults.json"
