"""Describes, in sentences, how precisely a test set of a given size measures a model and compares two models."""

from collections.abc import Mapping

from image_classifier.evaluate.proportions import (
    images_to_show_better,
    images_to_show_not_worse,
    margin_shown_by,
    wilson_interval,
)

ALPHA = 0.05
DISCORDANT = 0.06  # share of the images on which two models of about the same accuracy disagree; 3 to 10% is usual
USUAL_ACCURACY = 0.95
FEW_OF_A_CLASS = 20
MOST_NAMED = 8


def what_it_can_show(images: int, *, of_class: Mapping[str, int]) -> tuple[str, ...]:
    """Return the sentences, for a report or a plan.

    Args:
        images: number of test images.
        of_class: number of test images of each class, by label.

    """
    if not images:
        return ("There is no test image, so nothing can be shown.",)
    low, high = wilson_interval(round(USUAL_ACCURACY * images), images)
    margin = margin_shown_by(images, discordant=DISCORDANT, alpha=ALPHA)
    better = images_to_show_better(0.01, discordant=DISCORDANT, alpha=ALPHA)
    not_worse = images_to_show_not_worse(0.02, discordant=DISCORDANT, alpha=ALPHA)
    sentences = [
        f"{images:,} test images measure an accuracy of about {USUAL_ACCURACY:.0%} with an interval from {low:.1%} to "
        f"{high:.1%} (95% confidence).",
        f"If two models disagree about {DISCORDANT:.0%} of the images, {images:,} images show that a new model as good "
        f"as the old one is not worse by {100 * margin:.1f} points (80% power).",
        f"A margin of 2 points takes {not_worse:,} images, and an improvement of 1 point takes {better:,}.",
    ]
    if few := sorted(label for label, count in of_class.items() if count < FEW_OF_A_CLASS):
        named = ", ".join(few[:MOST_NAMED]) + (f" and {len(few) - MOST_NAMED} more" if len(few) > MOST_NAMED else "")
        sentences.append(f"Fewer than {FEW_OF_A_CLASS} test images, so their recall is uncertain: {named}.")
    return tuple(sentences)
