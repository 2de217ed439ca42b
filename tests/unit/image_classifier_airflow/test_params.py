from pathlib import Path

import pytest
from airflow.sdk.exceptions import ParamValidationError

from image_classifier.classifier import Classifier
from image_classifier.classifier.run_params import run_params_schema, with_run_params
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier_airflow.params import classify_existing_params, teardown_params, train_params, watch_params

CATS = Classifier(name="cats", source="cats", training={"time_limit_s": 600})


def test_there_is_a_field_for_every_param_of_the_library():
    assert set(train_params(CATS)) == set(run_params_schema(CATS))


def test_the_form_has_no_field_whose_other_values_are_all_refused():
    assert {"multi_label", "use_weighted_loss"}.isdisjoint(train_params(CATS))


def test_a_run_of_an_earlier_form_may_still_name_fields_that_it_lacks():
    assert with_run_params(CATS, {"multi_label": False, "use_weighted_loss": False}) == CATS
    with pytest.raises(ClassifierFileError, match="every image has one class, whatever the source: leave it out"):
        with_run_params(CATS, {"multi_label": True})


def test_the_classifiers_values_are_the_defaults():
    params = train_params(CATS)

    assert params["source"] == "cats"
    assert params["time_limit_s"] == 600


def test_limits_and_words_are_the_librarys():
    field, schema = train_params(CATS).get_param("epochs"), run_params_schema(CATS)["epochs"]

    assert field.schema["allOf"] == [{"minimum": schema["minimum"]}]
    assert field.schema["title"] == schema["title"]
    assert field.description == f"{schema['description']} At least 1."
    assert train_params(CATS).get_param("time_limit_s").description.endswith(" From 60 to 2,419,200.")


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("momentum", 1.5), ("top_k", 1), ("time_limit_s", 59)])
def test_a_number_beyond_its_limits_is_refused_and_not_replaced(name, value):
    field = train_params(CATS).get_param(name)

    assert not {"minimum", "maximum"} & set(field.schema)  # by which Airflow's form replaces what was typed
    with pytest.raises(ParamValidationError, match=f"{value} is (less|greater) than the (min|max)imum of"):
        field.resolve(value)


def test_the_forms_of_other_dags_say_the_limits_of_their_numbers():
    tasks, grace = classify_existing_params([])["tasks"], watch_params()["grace_s"]

    assert (tasks.description, tasks.schema["allOf"]) == (
        "Maximum number of mapped tasks. From 1 to 64.",
        [{"minimum": 1, "maximum": 64}],
    )
    assert grace.description.endswith(" At least 0.")


def test_every_default_passes_its_own_limits_so_a_schedule_can_start_it():
    params = train_params(CATS)

    assert params.validate() == {name: params[name] for name in params}


def test_a_classifier_with_its_own_image_may_choose_instances_without_gpu():
    own = Classifier(name="cats", source="cats", algorithm="own", training={"instance_type": "ml.m5.large"})
    field = train_params(own).get_param("training_instance_type")

    assert field.resolve() == "ml.m5.large"
    assert "ml.m5.large" not in train_params(CATS).get_param("training_instance_type").schema["enum"]
    train_params(own).validate()


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("source", "Data"),
        ("reset_labels", "Data"),
        ("force_retrain", "Training"),
        ("training_instance_type", "Training"),
        ("time_limit_s", "Training"),
        ("endpoint_instance_type", "Endpoint"),
        ("num_layers", "Model"),
    ],
)
def test_fields_stand_where_a_person_looks_for_them(name, section):
    assert train_params(CATS).get_param(name).schema["section"] == section


def test_the_fields_of_a_section_stand_together():
    sections = [param.schema["section"] for _, param in train_params(CATS).items()]

    assert sections == sorted(sections, key=list(dict.fromkeys(sections)).index)


def test_teardown_proposes_the_names_of_the_files():
    params = teardown_params([Path("a/cats.yaml"), Path("b/dogs.yaml")])

    assert params["classifier"].schema["examples"] == ["cats", "dogs"]


def test_teardown_takes_a_name_whose_file_is_gone():
    assert teardown_params([])["classifier"].resolve("cats") == "cats"


@pytest.mark.parametrize("name", ["cats", "c-1"])
def test_a_name_with_a_line_break_is_refused_by_the_form(name):
    field = teardown_params([]).get("classifier")

    assert field.resolve(name) == name
    with pytest.raises(ParamValidationError):
        field.resolve(f"{name}\n")
