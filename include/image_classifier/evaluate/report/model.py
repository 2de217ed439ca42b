"""Defines report.json. Fractions are from 0 to 1, intervals are two-sided with 95% confidence, times in seconds."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from image_classifier.evaluate.proportions import Proportion

UNSURE_BELOW = 0.5  # the value in reports of earlier releases, which have no threshold for auto


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TopK(_Part):
    """The share of the images whose true class is among the k likeliest."""

    k: int
    accuracy: Proportion


class ClassFigures(_Part):
    """The figures of one class; precision and F1 are None if it was never predicted, recall if it has no test image."""

    label: str
    support: int
    predicted: int
    precision: float | None
    recall: Proportion | None
    f1: float | None


class Confusion(_Part):
    """The number of images of one class that were predicted as another."""

    label: str
    predicted: str
    images: int


class Bin(_Part):
    """Images of similar confidence, with their mean confidence and their accuracy."""

    images: int
    confidence: float
    accuracy: float


class CalibrationFigures(_Part):
    """Calibration figures at one temperature.

    ``ece`` is the expected calibration error over 15 bins with the same number of images each; ``brier`` is the
    multi-class Brier score, 0 (best) to 2.
    """

    temperature: float
    log_loss: float
    ece: float
    brier: float
    bins: tuple[Bin, ...]


class Calibration(_Part):
    """Calibration on the test images without temperature, and with the one that was fitted on validation images.

    ``fitted_on`` is the number of these; 0 if no temperature was fitted.
    """

    fitted_on: int
    note: str
    before: CalibrationFigures
    after: CalibrationFigures


class Threshold(_Part):
    """The share of predictions kept, and their accuracy, if predictions below this confidence go to people."""

    unsure_below: float
    kept: float
    accuracy: Proportion


class Unsure(_Part):
    """The risk-coverage table, and the threshold that reaches the wanted accuracy of the kept predictions.

    ``share_before`` and ``share_after`` are the shares of the test images below the classifier's present
    ``unsure_below``, without and with the temperature. ``auto`` and ``auto_calibrated`` are the thresholds that
    `unsure_below: auto` uses without and with the temperature: the lowest one whose accuracy is shown to reach the
    wanted one, or the most accurate one if none does. ``calibrate`` says for which of the two the table is computed.
    """

    wanted_accuracy: float
    proposed: float | None
    note: str
    present: float
    share_before: float
    share_after: float
    calibrate: bool = False
    auto: float = UNSURE_BELOW
    auto_calibrated: float = UNSURE_BELOW
    table: tuple[Threshold, ...]


class Mistake(_Part):
    """A test image that the model predicts as another class."""

    key: str
    name: str
    label: str
    predicted: str
    confidence: float
    label_probability: float


class LabelMistakes(_Part):
    """Images whose label in the source is probably wrong by confident learning, the most probable first."""

    estimated: int
    images: tuple[Mistake, ...]


class Segment(_Part):
    """A part of the test set. ``weak`` if it is less accurate than the rest, by Fisher's one-sided test with Holm."""

    kind: Literal["dark", "small", "source"]
    name: str
    accuracy: Proportion
    rest: Proportion
    p_value: float
    weak: bool


class Epoch(_Part):
    """The accuracies that the training job logged after an epoch; epochs count from zero."""

    epoch: int
    train_accuracy: float | None
    validation_accuracy: float | None


class Training(_Part):
    """The training job of the model, with its settings and curves."""

    training_job: str
    algorithm: str = ""
    hyperparameters: dict[str, str] = Field(default_factory=dict)
    instance_type: str = ""
    instance_count: int = 1
    spot: bool = False
    seconds: float | None = None
    billable_s: float | None = None
    cost_usd: float | None = None
    best_validation_accuracy: float | None = None
    epochs: tuple[Epoch, ...] = ()


class TrialFigures(_Part):
    """One training job of a search for hyperparameters.

    ``last_epoch_accuracy`` is the tuner's metric. ``validation`` is the accuracy of the stored model, which is that of
    the best epoch, on the validation images; only the best few models and the first are scored.
    """

    training_job: str
    hyperparameters: dict[str, str]
    status: str
    is_default: bool
    last_epoch_accuracy: float | None
    validation: Proportion | None = None
    log_loss: float | None = None
    billable_s: int | None = None


class TuningFigures(_Part):
    """A hyperparameter search: its training jobs, of which the first has the file's values, and the chosen one."""

    tuning_job: str
    strategy: str
    max_jobs: int
    max_parallel: int
    early_stopping: bool
    ranges: dict[str, str]
    trials: tuple[TrialFigures, ...]
    chosen: str


class DatasetVersion(_Part):
    """The fingerprint of the data set version, and the SHA-256 of its test manifest."""

    fingerprint: str
    test_manifest: str
    train: int
    validation: int
    test: int


class Report(_Part):
    """The report of one model on one test set.

    ``missing`` names test images without an answer, which no figure includes. ``can_show`` says in sentences what a
    test set of this size can and cannot show.
    """

    schema_: Literal[1] = Field(default=1, alias="schema")
    classifier: str
    labels: tuple[str, ...]
    training: Training
    dataset: DatasetVersion
    images: int
    missing: tuple[str, ...]
    accuracy: Proportion
    top_k: tuple[TopK, ...]
    log_loss: float
    classes: tuple[ClassFigures, ...]
    confusion_matrix: tuple[tuple[int, ...], ...]
    most_confused: tuple[Confusion, ...]
    calibration: Calibration
    unsure: Unsure
    mistakes: tuple[Mistake, ...]
    label_mistakes: LabelMistakes
    segments: tuple[Segment, ...]
    can_show: tuple[str, ...]
    tuning: TuningFigures | None = None

    def document(self) -> bytes:
        """Return the bytes of report.json; equal figures give equal bytes."""
        return self.model_dump_json(indent=1, by_alias=True).encode()
