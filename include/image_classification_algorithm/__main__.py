"""Runs `python -m image_classification_algorithm train|serve`, the command that SageMaker calls in a container."""

import os
import sys
from typing import NoReturn

from image_classification_algorithm import job_log
from image_classification_algorithm.errors import AlgorithmError, JobError
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.job_log import log


def main(arguments: list[str]) -> int:
    """Run `train` or `serve`; return the exit status of the process."""
    if arguments not in (["train"], ["serve"]):
        print("usage: python -m image_classification_algorithm train|serve", file=sys.stderr)
        return 2
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime reads it when it is imported
    print(f"Docker entrypoint called with argument(s): {arguments[0]}", flush=True)
    job_log.configure()
    return train(Folders.from_env()) if arguments == ["train"] else serve(Folders.from_env())


def train(folders: Folders) -> int:
    """Train; on failure write the reason to output/failure, whose first line becomes the job's FailureReason."""
    # Threads that spin while they wait for each other make an epoch up to eight times as long on a busy machine.
    # OpenMP reads this when torch is imported, which takes seconds, so SIGTERM is handled before that import.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from image_classification_algorithm.training.stopping import StopRequest

    stop = StopRequest()
    stop.listen()
    from image_classification_algorithm.training import job

    try:
        job.run(folders, stop)
    except JobError as error:
        return _fail(folders, error)
    except Exception as error:  # noqa: BLE001  # SageMaker shows the failure file and no traceback
        log.exception("The training failed in an unforeseen way.")
        return _fail(folders, AlgorithmError(f"{type(error).__name__}: {error}"))
    return 0


def serve(folders: Folders) -> int:
    """Answer requests until SIGTERM."""
    from image_classification_algorithm.serving import server

    try:
        server.run(folders)
    except JobError as error:
        log.error("%s: %s", error.log_prefix, error)
        return 1
    return 0


def _fail(folders: Folders, error: JobError) -> int:
    log.error("%s: %s", error.log_prefix, error)
    try:
        folders.failure.parent.mkdir(parents=True, exist_ok=True)
        folders.failure.write_text(f"{error.prefix}: {error}", "utf-8")
    except OSError as unwritten:
        log.error("Algorithm Error: %s could not be written: %s", folders.failure, unwritten)
    return 1


def end(status: int) -> NoReturn:
    """End the process with this status, and without the interpreter's own end, in which PyTorch may abort the process.

    With several hosts, a thread of gloo frees the tensors of the last exchange. If Python ends meanwhile, the process
    ends with SIGABRT ("terminate called without an active exception"), and SageMaker shows a failed job.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    end(main(sys.argv[1:]))
