"""Checks the time limit of a batch's transform job, and that a batch that may cost too much is refused."""

import pytest

from image_classifier.classifier import Classifier
from image_classifier.classify_existing import batch as batches
from image_classifier.contracts.errors import BudgetError

PETS = Classifier(name="pets", source="pets")


@pytest.mark.parametrize(
    ("usd_per_hour", "enough", "too_little"), [(0.23, 10.0, 0.01), (0.23, None, 0.01), (None, None, 100.0)]
)
def test_a_batch_that_may_cost_too_much_or_an_unknown_sum_is_refused(usd_per_hour, enough, too_little):
    batches.check_budget(50_000, PETS, usd_per_hour=usd_per_hour, max_cost_usd=enough)

    with pytest.raises(BudgetError, match="Nothing was started"):
        batches.check_budget(50_000, PETS, usd_per_hour=usd_per_hour, max_cost_usd=too_little)


def test_a_batch_costs_its_requests_and_the_machine_up_to_its_limit():
    limit_s = 900 + 50_000 * 0.25
    usd = 50_000 * (3 * 0.0000004 + 5 * 0.000005) + 0.23 * limit_s / 3600

    assert batches.time_limit_s(50_000, PETS) == limit_s
    batches.check_budget(50_000, PETS, usd_per_hour=0.23, max_cost_usd=usd)
    with pytest.raises(BudgetError, match=f"may cost {usd:,.2f} US dollars"):
        batches.check_budget(50_000, PETS, usd_per_hour=0.23, max_cost_usd=usd - 1e-9)


@pytest.mark.parametrize(
    ("image_shape", "unmodified", "s_per_image"),
    [("3,32,32", False, 0.25), ("3,448,448", False, 1.0), ("3,224,224", True, 1.25), ("3,448,448", True, 2.0)],
)
def test_larger_images_have_more_time(image_shape, unmodified, s_per_image):
    shape = {"image_shape": image_shape, "num_layers": 20 if image_shape == "3,32,32" else 18}
    pets = Classifier(name="pets", source="pets", hyperparameters=shape, pixels={"unmodified": unmodified})

    assert batches.time_limit_s(100_000, pets) == 900 + 100_000 * s_per_image
