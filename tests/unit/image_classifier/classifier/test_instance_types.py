"""Checks that the instance types that a classifier may name exist in SageMaker's API."""

import botocore.session
import pytest

from image_classifier.classifier.instance_types import GPUS, LOCAL_STORAGE, TRAINS_ON

SAGEMAKER = botocore.session.get_session().get_service_model("sagemaker")


@pytest.mark.parametrize("algorithm", ["builtin", "own"])
def test_sagemaker_trains_on_every_one(algorithm):
    known = set(SAGEMAKER.shape_for("TrainingInstanceType").enum)

    assert set(TRAINS_ON[algorithm]) <= known
    assert len(set(TRAINS_ON[algorithm])) == len(TRAINS_ON[algorithm])


def test_the_built_in_algorithm_has_all_sizes_of_its_families():
    families = ("p2", "p3", "p3dn", "g4dn", "g5")
    known = {name for name in SAGEMAKER.shape_for("TrainingInstanceType").enum if name.split(".")[1] in families}

    assert set(TRAINS_ON["builtin"]) == known


def test_ones_own_image_is_given_no_second_gpu_that_would_idle():
    assert [name for name in TRAINS_ON["own"] if GPUS.get(name, 1) > 1] == []
    assert {"ml.m5.large", "ml.g4dn.xlarge"} <= set(TRAINS_ON["own"])


def test_every_gpu_machine_of_an_own_image_encrypts_its_own_storage():
    assert {name for name in TRAINS_ON["own"] if ".g" in name} == {
        name for name in TRAINS_ON["own"] if name.startswith(LOCAL_STORAGE)
    }
