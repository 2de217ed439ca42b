"""Defines the errors that keep the local AWS from starting or running."""


class LocalAwsError(Exception):
    """Base of the errors that the local AWS reports to the user who started it."""


class PortInUseError(LocalAwsError):
    """Another program listens on a port that is needed."""


class StateInUseError(LocalAwsError):
    """Another process works in the same state folder."""


class DamagedStateError(LocalAwsError):
    """A file of the state cannot be read."""


class ChildEndedError(LocalAwsError):
    """A child process ended without a stop request."""


class NotReadyError(LocalAwsError):
    """A child process was not ready in time."""


class StackError(LocalAwsError):
    """The CloudFormation stack could not be created or updated."""


class MinistackChangedError(LocalAwsError):
    """MiniStack is not the version this package has patches for."""


class OptionError(LocalAwsError):
    """An option or an environment variable has an invalid value."""
