"""Defines all errors of this package, in one tree. Imports the standard library only, as the function's zip holds it.

ImageClassifierError
 +-- SettingsError                  a variable of the deployment is missing or wrong
 +-- ClassifierFileError            a file in include/classifiers/, or a run's params, cannot be used
 |    +-- HyperparameterError       values that the algorithm would refuse
 +-- DatasetError                   the labelled images cannot be trained on
 |    +-- ImageRejectedError        one image cannot be used; carries a reason code
 |    +-- LabelsChangedError        a class is missing and the run did not set reset_labels
 +-- PreparationError               a process or a processing job did not prepare all its images: a retry goes on
 |    +-- PreparationInputError     its program failed, or AWS refused its request: a retry would fail and cost the same
 |    +-- PreparationStoppedError   someone, or the time limit, stopped the processing job
 +-- StackError                     the deployment's CloudFormation stack was not created, updated or deleted
 +-- StorageError                   S3 did not answer as it should: a later attempt may succeed
 +-- ObjectGoneError                somebody deleted an object that an earlier task wrote
 +-- AwsRefusalError                AWS refused a step's request and would refuse it again
 +-- BudgetError                    a run could cost more than max_cost_usd; nothing was started
 +-- TrainingError                  a training job did not end with a model
 |    +-- TrainingInputError        the algorithm refused its input: a retry would fail and cost the same
 |    +-- TrainingServiceError      AWS's side failed or had no capacity: a retry may help
 |    +-- TrainingStoppedError      someone, or the time limit, stopped the job
 +-- EvaluationError                a model was not evaluated; the live model was not changed
 |    +-- EvaluationInputError      the model refused the images: a retry would fail and cost the same
 |    +-- EvaluationStoppedError    someone, or the time limit, stopped the transform job
 +-- QuestionOutdatedError          a person approved a comparison with a model that no longer serves
 +-- ResourceClashError             a name is taken by something with other content
 +-- ResourceBusyError              an earlier change is still being applied: retry in a few minutes
 +-- EndpointError                  the endpoint does not serve what it should
 |    +-- ModelRefusalError         the model refuses the image: a retry would fail again
 |    +-- EndpointGoneError         somebody deleted the endpoint while a task waited for a change of it
 |    +-- EndpointRolledBackError   AWS rolled the update back: the earlier model still serves
 +-- UnwantedEndpointError          an endpoint exists, and costs, that no classifier file describes
 +-- FunctionError                  the function cannot be packed or deployed
 |    +-- NotificationOverlapError  another event notification of the bucket covers the same uploads
 |    +-- NotificationGoneError     somebody deleted the event notification during a run
 +-- PredictionError                a prediction does not fit the model's labels, or is missing
 +-- CorrectionError                a person's correction of a prediction cannot be read or stored
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
        code: the reason as an identifier, such as ``truncated``; the message explains it to people.

    """

    def __init__(self, code: str, sentence: str) -> None:
        """Store the code; the sentence becomes the error's message."""
        super().__init__(sentence)
        self.code = code


class LabelsChangedError(DatasetError):
    """A class of the earlier model has no images any more."""


class PreparationError(ImageClassifierError):
    """A process was killed, or a processing job failed on AWS's side; a later attempt continues where it stopped."""


class PreparationInputError(PreparationError):
    """The job's program failed, or AWS refused the job's request; the same job would fail, and cost, again."""


class PreparationStoppedError(PreparationError):
    """The processing job was stopped, by a person or by its time limit."""


class StackError(ImageClassifierError):
    """The CloudFormation stack of the deployment cannot be created, updated or deleted."""


class StorageError(ImageClassifierError):
    """S3 is too busy, or the connection to it broke; a later attempt may succeed."""


class ObjectGoneError(ImageClassifierError):
    """Somebody deleted an object that an earlier task of the run wrote."""


class AwsRefusalError(ImageClassifierError):
    """AWS, or this machine's disk, refused a step's request and would refuse it again."""


class BudgetError(ImageClassifierError):
    """A run could cost more than its classifier allows, or its cost is unknown."""


class TrainingError(ImageClassifierError):
    """A training job did not end with a model."""


class TrainingInputError(TrainingError):
    """The algorithm refused its input; the same request would fail, and cost, again."""


class TrainingServiceError(TrainingError):
    """AWS's side failed or had no capacity; a later attempt may succeed."""


class TrainingStoppedError(TrainingError):
    """The job was stopped, by a person or by its time limit."""


class EvaluationError(ImageClassifierError):
    """A model was not evaluated; the live model was not changed."""


class EvaluationInputError(EvaluationError):
    """The model, or SageMaker, refused the images; the same job would fail, and cost, again."""


class EvaluationStoppedError(EvaluationError):
    """The transform job was stopped, by a person or by its time limit."""


class QuestionOutdatedError(ImageClassifierError):
    """The live model or the test set changed while a person was asked; a retry compares and asks again."""


class ResourceClashError(ImageClassifierError):
    """A resource with other content, which does not belong to the classifier, has the name already."""


class ResourceBusyError(ImageClassifierError):
    """An earlier change to the same resource is still being applied."""


class EndpointError(ImageClassifierError):
    """The endpoint does not serve what it should."""


class ModelRefusalError(EndpointError):
    """The model, or the endpoint in front of it, refuses the image that it received."""


class EndpointGoneError(EndpointError):
    """Somebody deleted the endpoint while a task waited for a change of it."""


class EndpointRolledBackError(EndpointError):
    """AWS rolled an update back; the endpoint still serves the earlier model."""


class UnwantedEndpointError(ImageClassifierError):
    """An endpoint exists, and costs, that no classifier file describes."""


class WatchFindingsError(ImageClassifierError):
    """The watch Dag found something that it could not repair."""


class FunctionError(ImageClassifierError):
    """The inference function cannot be packed or deployed."""


class NotificationOverlapError(FunctionError):
    """Another event notification of the bucket covers uploads that the classifier's own would cover."""


class NotificationGoneError(FunctionError):
    """Somebody deleted the classifier's event notification while a run waited for a prediction."""


class PredictionError(ImageClassifierError):
    """A prediction does not fit the model's labels, or is missing."""


class CorrectionError(ImageClassifierError):
    """A person's correction of a prediction cannot be read or stored."""
