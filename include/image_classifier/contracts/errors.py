"""Defines the errors of this package in one tree. Standard library only: the inference function packs this file.

ImageClassifierError
 +-- SettingsError                  a variable of the deployment is missing or wrong
 +-- ClassifierFileError            a file in include/classifiers/, or a run's params, cannot be used
 |    +-- HyperparameterError       values that the algorithm would refuse
 +-- DatasetError                   the labelled images cannot be trained on
 |    +-- ImageRejectedError        one image cannot be used; carries a reason code
 |    +-- LabelsChangedError        a class is gone and the run did not say reset_labels
 +-- StackError                     the deployment's CloudFormation stack was not created, updated or deleted
 +-- StorageError                   S3 did not answer as it should: a later attempt may succeed
 +-- ObjectGoneError                an object that an earlier task wrote is gone: somebody deleted it
 +-- AwsRefusalError                AWS refused a request of a step, and would refuse it again
 +-- BudgetError                    a run may cost more than it may; nothing was started
 +-- TrainingError                  a training job did not end with a model
 |    +-- TrainingInputError        the algorithm refused its input: a retry would fail and cost the same
 |    +-- TrainingServiceError      AWS's side failed or had no capacity: a retry may help
 |    +-- TrainingStoppedError      someone, or the time limit, stopped the job
 +-- EvaluationError                a model was not evaluated, and nothing that serves was touched
 |    +-- EvaluationInputError      the model refused the images: a retry would fail and cost the same
 |    +-- EvaluationStoppedError    someone, or the time limit, stopped the transform job
 +-- QuestionOutdatedError          what a person approved was compared with a model that no longer serves
 +-- ResourceClashError             a name is taken by something with other content
 +-- ResourceBusyError              an earlier change is still being applied: retry in a few minutes
 +-- EndpointError                  the endpoint does not serve what it should
 |    +-- ModelRefusalError         the model does not take what it was sent: sending it again is in vain
 |    +-- EndpointGoneError         somebody deleted the endpoint while a change of it was waited for
 |    +-- EndpointRolledBackError   AWS took the update back: the earlier model still serves
 +-- UnwantedEndpointError          an endpoint costs that no classifier's file wants
 +-- FunctionError                  the function cannot be packed or deployed
 |    +-- NotificationOverlapError  another event notification of the bucket covers the same uploads
 +-- PredictionError                an answer that does not fit the model's labels, or that did not come
 +-- CorrectionError                a person's correction of a prediction that cannot be read or stored
"""


class ImageClassifierError(Exception):
    """Base of all errors that this package raises on purpose."""


class SettingsError(ImageClassifierError):
    """A variable of the deployment is missing or wrong."""


class ClassifierFileError(ImageClassifierError):
    """A classifier file, or what a run changes in it, cannot be used."""


class HyperparameterError(ClassifierFileError):
    """Hyperparameters that the algorithm would refuse after the instance had started."""


class DatasetError(ImageClassifierError):
    """The labelled images cannot be trained on."""


class ImageRejectedError(DatasetError):
    """One image cannot be used.

    Attributes:
        code: one word for machines, such as ``truncated``; the message is the sentence for people.

    """

    def __init__(self, code: str, sentence: str) -> None:
        """Keep the code beside the sentence."""
        super().__init__(sentence)
        self.code = code


class LabelsChangedError(DatasetError):
    """A class that the model knows is gone from the images."""


class StackError(ImageClassifierError):
    """The CloudFormation stack of the deployment cannot be created, updated or deleted."""


class StorageError(ImageClassifierError):
    """S3 is too busy, or the connection to it broke; a later attempt may succeed."""


class ObjectGoneError(ImageClassifierError):
    """An object that an earlier task of the run wrote is gone."""


class AwsRefusalError(ImageClassifierError):
    """AWS, or this machine's disk, refused what a step asked for, and would refuse it again."""


class BudgetError(ImageClassifierError):
    """A run may cost more than its classifier allows, or nobody knows what it costs."""


class TrainingError(ImageClassifierError):
    """A training job did not end with a model."""


class TrainingInputError(TrainingError):
    """The algorithm refused its input; the same request would fail, and cost, again."""


class TrainingServiceError(TrainingError):
    """AWS's side failed or had no capacity; a later attempt may succeed."""


class TrainingStoppedError(TrainingError):
    """The job was stopped, by a person or by its time limit."""


class EvaluationError(ImageClassifierError):
    """A model was not evaluated; what serves was not touched."""


class EvaluationInputError(EvaluationError):
    """The model, or SageMaker, refused the images; the same job would fail, and cost, again."""


class EvaluationStoppedError(EvaluationError):
    """The transform job was stopped, by a person or by its time limit."""


class QuestionOutdatedError(ImageClassifierError):
    """The model that serves, or the test set, changed while a person was asked; a retry compares and asks again."""


class ResourceClashError(ImageClassifierError):
    """A name is taken by a resource with other content, which is not ours to replace."""


class ResourceBusyError(ImageClassifierError):
    """An earlier change to the same resource is still being applied."""


class EndpointError(ImageClassifierError):
    """The endpoint does not serve what it should."""


class ModelRefusalError(EndpointError):
    """The model, or the endpoint before it, does not take the image that it was sent."""


class EndpointGoneError(EndpointError):
    """Somebody deleted the endpoint while a change of it was waited for."""


class EndpointRolledBackError(EndpointError):
    """AWS took an update back; the endpoint still serves the earlier model."""


class UnwantedEndpointError(ImageClassifierError):
    """An endpoint costs that no classifier's file wants."""


class WatchFindingsError(ImageClassifierError):
    """The watch Dag found something that it could not mend."""


class FunctionError(ImageClassifierError):
    """The inference function cannot be packed or deployed."""


class NotificationOverlapError(FunctionError):
    """Another event notification of the bucket covers uploads that the classifier's own would cover."""


class PredictionError(ImageClassifierError):
    """A prediction that does not fit the model's labels, or that did not come."""


class CorrectionError(ImageClassifierError):
    """A person's correction of a prediction that cannot be read or stored."""
