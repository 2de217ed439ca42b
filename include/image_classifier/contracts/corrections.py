"""Defines the correction record: what a person says about one uploaded image.

Standard library only, as everything in this folder. A correction is JSON, ``schema`` 1, one current object per image
(`image_classifier.contracts.record_keys.correction_key`); S3's versions keep the earlier ones. ``answer`` says how to
read it:

==========  =================================================================================================
label       ``label`` is the right class, one of the model's; it may be the class that was predicted
proposed    ``label`` is a class that the model does not have; it counts once the classifier's file accepts it
unclear     nobody can tell, or no class fits: ``label`` is null
irrelevant  it is no image of interest: ``label`` is null
withdrawn   the person took the answer back: ``label`` is null
==========  =================================================================================================
"""

import json
from dataclasses import asdict, dataclass
from typing import Literal, Self, get_args

from image_classifier.contracts.errors import CorrectionError

SCHEMA = 1
MAX_LABEL_CHARACTERS = 255

Answer = Literal["label", "proposed", "unclear", "irrelevant", "withdrawn"]
Reason = Literal["random", "unsure", "search"]


@dataclass(frozen=True)
class Correction:
    """One correction.

    Attributes:
        key: the image's S3 key.
        version_id: the S3 version of the image that the person saw; None in a bucket without versions.
        sha256: SHA-256 of that version's bytes, hexadecimal.
        answer: see the table of this module.
        label: the class after the correction.
        label_before: the class that was predicted; None where no model answered.
        training_job: the job that trained the model whose prediction was corrected; None where no model answered.
        reason: why the image was shown: ``random`` for the blind sample, ``unsure`` for the queue of unsure
            predictions, ``search`` for everything that somebody looked for.
        by: the user's name in Airflow.
        at: ISO 8601, UTC.

    """

    key: str
    version_id: str | None
    sha256: str
    answer: Answer
    label: str | None
    label_before: str | None
    training_job: str | None
    reason: Reason
    by: str
    at: str

    @property
    def is_right(self) -> bool:
        """Return whether the prediction was right."""
        return self.answer == "label" and self.label == self.label_before

    def as_json(self) -> bytes:
        """Return the bytes of the JSON object that is stored in S3."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a stored correction; fields that this version does not know are ignored.

        Raises:
            CorrectionError: `data` is not a correction of schema 1, or its answer and label contradict each other.

        """
        try:
            document = json.loads(data)
            if document["schema"] != SCHEMA:
                raise CorrectionError(f"Only corrections of schema {SCHEMA} can be read: {document['schema']!r}")
            correction = cls(**{name: document[name] for name in cls.__dataclass_fields__})
        except (ValueError, KeyError, TypeError) as error:
            raise CorrectionError(f"The correction cannot be read: {error!r} in {data[:80]!r}") from error
        _check(correction)
        return correction


def _check(correction: Correction) -> None:
    """Check that the label fits the answer, as the table of this module says."""
    if correction.answer not in get_args(Answer) or correction.reason not in get_args(Reason):
        raise CorrectionError(f"The correction of {correction.key} has answer {correction.answer!r}")
    has_label = isinstance(correction.label, str) and 0 < len(correction.label) <= MAX_LABEL_CHARACTERS
    if has_label != (correction.answer in ("label", "proposed")):
        raise CorrectionError(
            f"The correction of {correction.key} has answer {correction.answer} and label {correction.label!r}"
        )
