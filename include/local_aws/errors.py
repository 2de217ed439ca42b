"""What can keep the local AWS from starting or running, each said in one sentence."""


class LocalAwsError(Exception):
    """Base of everything the local AWS reports to the person who started it."""


class PortInUseError(LocalAwsError):
    """Another program listens on a port that is needed."""


class StateInUseError(LocalAwsError):
    """Another local AWS works in the same state folder."""


class ChildEndedError(LocalAwsError):
    """MiniStack or the SageMaker server ended by itself."""


class NotReadyError(LocalAwsError):
    """A server does not answer in time."""


class StackError(LocalAwsError):
    """The CloudFormation stack could not be created or updated."""


class MinistackChangedError(LocalAwsError):
    """MiniStack is not the version this package has patches for."""


class OptionError(LocalAwsError):
    """An option or a variable has a value that cannot be used."""
