"""Defines the two kinds of job failure that the built-in algorithm's container distinguishes."""


class JobError(Exception):
    """A job cannot go on; the message is one sentence for the person who started it."""

    prefix: str
    log_prefix: str


class ClientError(JobError):
    """The input or a hyperparameter is wrong: the same job would fail again."""

    prefix = "ClientError"
    log_prefix = "Customer Error"


class AlgorithmError(JobError):
    """The cause is this program or the machine it runs on."""

    prefix = "AlgorithmError"
    log_prefix = "Algorithm Error"
