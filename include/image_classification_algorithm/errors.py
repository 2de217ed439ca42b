"""The two ways in which a job fails, as the built-in algorithm's container tells them apart."""


class JobError(Exception):
    """A job cannot go on; the message is one sentence for the person who started it."""

    prefix: str
    log_prefix: str


class ClientError(JobError):
    """The input, or a hyperparameter, has to be changed by its owner: the same job would fail again."""

    prefix = "ClientError"
    log_prefix = "Customer Error"


class AlgorithmError(JobError):
    """Anything else: this program, or the machine it runs on."""

    prefix = "AlgorithmError"
    log_prefix = "Algorithm Error"
