"""Starts and stops the services of a laptop: the local AWS, then the components of Airflow."""

import json
import os
import threading

from laptop.airflow_settings import COMPONENTS, airflow_environment, configuration
from laptop.health import airflow_is_healthy
from laptop.place import AIRFLOW_PYTHON, LOCAL_AWS_PYTHON, ROOT, Place
from local_aws.processes.supervisor import Supervisor

START_LIMIT_S = 240
STOP_GRACE_S = 20
LOCAL_AWS = "local-aws"


class Services:
    """The local AWS and Airflow as child processes of one supervisor; setting `stop_requested` ends every wait."""

    def __init__(self, place: Place, *, stop_requested: threading.Event | None = None) -> None:
        self.place = place
        self.supervisor = Supervisor(
            place.logs, stop_requested=stop_requested or threading.Event(), stop_grace_s=STOP_GRACE_S
        )

    def start(self) -> None:
        """Start the local AWS, then Airflow, and wait until both are ready.

        Raises:
            ChildEndedError: a process ended.
            NotReadyError: a process was not ready within `START_LIMIT_S` seconds.
            StopRequested: a stop was requested in the meantime.

        """
        self.start_local_aws()
        self._migrate_database(configuration(self.place))
        self.await_local_aws()
        for component in COMPONENTS:
            self.start_component(component)
        self.supervisor.wait_until(lambda: airflow_is_healthy(self.place), what="Airflow", limit_s=START_LIMIT_S)

    def start_local_aws(self) -> None:
        """Start the local AWS, which is ready when it has written ready.json."""
        aws = self.place.aws_state
        (aws / "ready.json").unlink(missing_ok=True)
        ports = ["--port", str(self.place.aws_port), "--sagemaker-port", str(self.place.sagemaker_port)]
        command = [str(LOCAL_AWS_PYTHON), "-m", "local_aws", "--state", str(aws), *ports]
        self.supervisor.start(LOCAL_AWS, command, env={**os.environ, "PYTHONPATH": str(ROOT / "include")}, cwd=ROOT)

    def await_local_aws(self) -> None:
        """Wait until the local AWS is ready; raises what `start` raises."""
        ready = self.place.aws_state / "ready.json"
        self.supervisor.wait_until(ready.exists, what="the local AWS", limit_s=START_LIMIT_S)

    def start_component(self, component: str) -> None:
        """Start one component of Airflow: ``api-server``, ``scheduler``, ``dag-processor`` or ``triggerer``."""
        command = [str(AIRFLOW_PYTHON), "-m", "airflow", component]
        self.supervisor.start(f"airflow-{component}", command, env=self.environment(component), cwd=ROOT)

    def environment(self, component: str) -> dict[str, str]:
        """Return the environment of one of Airflow's components; the local AWS must be ready."""
        ready = json.loads((self.place.aws_state / "ready.json").read_text())
        return airflow_environment(self.place, ready, component=component)

    def stop(self) -> None:
        """Stop all of Airflow first, then the local AWS: tasks still call the local AWS while they end."""
        self.supervisor.stop([name for name in self.supervisor.children if name != LOCAL_AWS])
        self.supervisor.stop([LOCAL_AWS])

    def _migrate_database(self, env: dict[str, str]) -> None:
        """Create or upgrade Airflow's tables; does nothing if this release of Airflow made them."""
        stamp = self.place.airflow_home / "migrated"
        release = (ROOT / "requirements.txt").read_text()
        if stamp.exists() and stamp.read_text() == release:
            return
        command = [str(AIRFLOW_PYTHON), "-m", "airflow", "db", "migrate"]
        self.supervisor.run_to_end("airflow-db-migrate", command, env=env, cwd=ROOT, limit_s=START_LIMIT_S)
        stamp.write_text(release)
