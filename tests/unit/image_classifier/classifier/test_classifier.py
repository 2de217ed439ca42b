"""Checks that a classifier file is read as written, or refused with the field to correct."""

from pathlib import Path

import pytest

from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.classifier.instance_types import TRAINS_ON
from image_classifier.classifier.run_params import RunParams, run_params_schema, with_run_params
from image_classifier.contracts.errors import ClassifierFileError


def classifier(**values):
    return Classifier.model_validate({"name": "cats", "source": "cats", **values})


@pytest.fixture
def file(tmp_path):
    def write(text, name="cats.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def refusal(path):
    with pytest.raises(ClassifierFileError) as caught:
        Classifier.from_file(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_classifier_is_named_after_its_file(file):
    assert Classifier.from_file(file("source: photos")).name == "cats"


def test_a_file_reads_as_it_is_written(file):
    path = file(
        "source: s3://photos/cats/\n"
        "schedule: '0 3 * * 1'\n"
        "hyperparameters: {image_shape: '3,28,28', num_layers: 20, eps: 1e-8}\n"
        "training: {spot: true, max_wait_s: 9000}\n"
        "vpc_config: {security_group_ids: [sg-1], subnets: [subnet-1]}\n"
    )
    read = Classifier.from_file(path)

    assert read.hyperparameters.side_px == 28
    assert read.hyperparameters.eps == 1e-8
    assert read.training.max_wait_s == 9000
    assert read.vpc_config.subnets == ("subnet-1",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it must hold fields"),
        ("- a", "it must hold fields"),
        ("source: [", "cannot be read as YAML"),
        ("source: a\nsource: b", "source given twice"),
        ("source: a\nname: b", "a classifier's name is its file's"),
        ("description: x", "'source' is a required property"),
        ("source: a\nepochs: 3", "Additional properties are not allowed ('epochs' was unexpected)"),
        ("source: s3://bucket", "An S3 source reads s3://bucket/prefix/"),
        ("source: s3:///prefix/", "An S3 source reads s3://bucket/prefix/"),
        ("source: a\nschedule: daily", "schedule.cron is 'daily'"),
        ("source: a\nhyperparameters: {epochs: 0}", "hyperparameters.epochs is 0"),
        (
            "source: a\nhyperparameters: {image_shape: '3,20,30'}",
            "and width equal, or set pixels.unmodified",
        ),
        ("source: a\nhyperparameters: {multi_label: true}", "every image has one class, whatever the source"),
        ("source: a\ntraining: {instance_type: ml.m5.large}", "the built-in algorithm trains on GPUs only"),
        ("source: a\nalgorithm: open", "algorithm is 'open'. Input should be 'builtin' or 'own'"),
        (
            "source: a\nalgorithm: own\ntraining: {instance_type: ml.p3.2xlarge}",
            "trains on a processor or on one GPU: use one of ml.m5.large",
        ),
        ("source: a\ntraining: {instance_type: gpu}", "training.instance_type is 'gpu'"),
        (
            "source: a\ntraining: {instance_type: ml.g5.12xlarge}\nhyperparameters: {mini_batch_size: 30}",
            "multiple of 4",
        ),
        ("source: a\ntraining: {spot: true}", "training.spot needs training.max_wait_s"),
        ("source: a\ntraining: {max_wait_s: 9000}", "works only with spot"),
        ("source: a\ntraining: {spot: true, max_wait_s: 60}", "it must be at least time_limit_s, 7200"),
        ("source: a\nkms_keys: {training_volume: key}", "has storage of its own"),
        ("source: a\ntags: {image-classifier: x}", "which are ours"),
        ("source: a\ntags: {image-classifier-run: x}", "which are ours"),
        ("source: a\ntraining: {on_demand_fallback: true}", "works only with spot"),
        ("source: a\ntraining: {instance_type_fallbacks: [ml.g4dn.xlarge]}", "names a type twice"),
        (
            "source: a\ntraining: {instance_type_fallbacks: [ml.m5.large]}",
            "training.instance_type_fallbacks is 'ml.m5.large'",
        ),
        (
            "source: a\ntraining: {instance_type_fallbacks: [ml.p3.16xlarge]}\nhyperparameters: {mini_batch_size: 30}",
            "multiple of 8",
        ),
        ("source: a\nendpoint: {rollout: {strategy: canary}}", "strategy is canary, which needs step_percent, 1 to 50"),
        ("source: a\nendpoint: {rollout: {strategy: linear, step_percent: 5}}", "linear takes 10 to 50"),
        ("source: a\nendpoint: {rollout: {strategy: rolling, step_percent: 4}}", "rolling takes 5 to 50"),
        ("source: a\nendpoint: {rollout: {strategy: canary, step_percent: 60}}", "step_percent is 60"),
        ("source: a\nendpoint: {rollout: {step_percent: 50}}", "works only with canary, linear and rolling"),
        (
            "source: a\nendpoint: {rollout: {strategy: rolling, step_percent: 50, keep_old_s: 9}}",
            "keep_old_s does not work with rolling",
        ),
        (
            "source: a\nendpoint: {rollout: {strategy: linear, step_percent: 30, wait_s: 900}}",
            "waits 3600 s in all, and time_limit_s is 3600",
        ),
        (
            "source: a\nendpoint: {instance_count: 3, rollout: {strategy: canary, step_percent: 33}}",
            "step_percent is 33; of 3 instance(s) that is less than one",
        ),
        ("source: a\nendpoint: {keep_models: 0}", "endpoint.keep_models is 0"),
        ("source: a\nnotify: {}", "notify names nobody; set sns_topic_arn, ses, slack_conn_id or webhook_conn_id"),
        ("source: a\nnotify: {deadline_s: 3600}", "notify names nobody"),
        ("source: a\nnotify: {webhook_conn_id: 'https://hooks.example.com/x'}", "notify.webhook_conn_id is 'https"),
        ("source: a\nnotify: {sns_topic_arn: 'arn:aws:sns:us-east-1:123456789012:a.fifo'}", "notify.sns_topic_arn is"),
        ("source: a\nnotify: {ses: {sender: me, to: [a@b.c]}}", "notify.ses.sender is 'me'"),
        ("source: a\nnotify: {webhook_conn_id: ops, deadline_s: 5}", "notify.deadline_s is 5"),
        ("source: a\nvpc_config: {subnets: [s]}", "'vpc_config.security_group_ids' is a required property"),
    ],
)
def test_a_file_that_cannot_be_used_says_which_field_to_fix(file, text, sentence):
    assert sentence in refusal(file(text))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert "cannot be read" in refusal(tmp_path / "cats.yaml")


@pytest.mark.parametrize("name", ["Cats.yaml", "cats_1.yaml", "1cats.yaml", "cats-.yaml", "a" * 25 + ".yaml"])
def test_a_name_that_does_not_fit_aws_names_is_refused(file, name):
    assert "name is" in refusal(file("source: a", name))


def test_images_that_are_not_squares_need_to_be_taken_as_they_are():
    assert classifier(hyperparameters={"image_shape": "3,20,30"}, pixels={"unmodified": True})


def test_the_former_name_of_unmodified_is_accepted():
    assert classifier(pixels={"as_is": True}).pixels.unmodified


def test_both_names_of_unmodified_are_refused(file):
    assert "leave as_is out" in refusal(file("source: a\npixels: {as_is: true, unmodified: true}"))


def test_the_channels_are_those_that_the_file_names():
    told = classifier(notify={"ses": {"sender": "a@b.c", "to": ["d@e.f"]}, "slack_conn_id": "slack", "deadline_s": 60})

    assert told.notify.channels == {"ses": {"sender": "a@b.c", "to": ["d@e.f"]}, "slack_conn_id": "slack"}


def test_a_run_changes_what_it_names_and_nothing_else():
    before = classifier(hyperparameters={"epochs": 12, "num_layers": 18})
    after = with_run_params(
        before, {"epochs": 3, "training_instance_type": "ml.g5.xlarge", "time_limit_s": 600, "force_retrain": True}
    )

    assert (after.hyperparameters.epochs, after.hyperparameters.num_layers) == (3, 18)
    assert (after.training.instance_type, after.training.time_limit_s) == ("ml.g5.xlarge", 600)
    assert after.endpoint == before.endpoint


def test_a_runs_values_are_checked_like_the_files():
    with pytest.raises(ClassifierFileError, match=r"Classifier cats .*hyperparameters.epochs is 0"):
        with_run_params(classifier(), {"epochs": 0})


def test_a_param_that_does_not_exist_is_refused():
    with pytest.raises(ClassifierFileError, match="There is no param epoch;"):
        with_run_params(classifier(), {"epoch": 3})


def test_the_forms_own_defaults_change_nothing():
    before = classifier(hyperparameters={"lr_scheduler_step": "5", "top_k": 2})
    defaults = {name: schema["default"] for name, schema in run_params_schema(before).items()}

    assert with_run_params(before, defaults) == before
    assert RunParams.from_params(defaults) == RunParams(force_retrain=False, reset_labels=False)


def test_the_form_has_no_anyof_and_every_field_says_what_it_is():
    schemas = run_params_schema(classifier())

    assert {"source", "epochs", "training_instance_type", "endpoint_instance_type", "reset_labels"} < schemas.keys()
    for name, schema in schemas.items():
        assert {"type", "title", "description", "default"} <= schema.keys(), name
        assert not {"anyOf", "$ref", "allOf", "prefixItems"} & schema.keys(), name


def test_an_optional_choice_may_be_left_empty_in_the_form():
    schema = run_params_schema(classifier())["kv_store"]

    assert schema["type"] == ["string", "null"]
    assert schema["enum"] == ["dist_sync", "dist_async", None]


@pytest.mark.parametrize(("algorithm", "word"), [("builtin", "A GPU instance"), ("own", "without GPU")])
def test_the_form_offers_exactly_the_machines_the_algorithm_trains_on(algorithm, word):
    schema = run_params_schema(classifier(algorithm=algorithm))["training_instance_type"]

    assert schema["enum"] == list(TRAINS_ON[algorithm])
    assert word in schema["description"]
    assert schema["default"] in schema["enum"]


def test_the_built_in_algorithm_is_used_unless_the_file_says_otherwise():
    assert classifier().algorithm == "builtin"


def test_an_image_of_ones_own_trains_without_a_gpu():
    own = classifier(algorithm="own", training={"instance_type": "ml.m5.large"})

    assert with_run_params(own, {"training_instance_type": "ml.c5.xlarge"}).training.instance_type == "ml.c5.xlarge"


def test_a_run_cannot_give_the_built_in_algorithm_a_machine_without_a_gpu():
    with pytest.raises(ClassifierFileError, match="trains on GPUs only"):
        with_run_params(classifier(), {"training_instance_type": "ml.m5.large"})


def test_folders_come_from_the_environment_or_are_the_shipped_one():
    assert classifier_folders({"IMAGE_CLASSIFIER_CLASSIFIERS": "/a:/b"}) == [Path("/a"), Path("/b")]
    assert [folder.parts[-2:] for folder in classifier_folders({})] == [("include", "classifiers")]


def test_files_are_found_without_being_read(file, tmp_path):
    broken, good = file("[", "broken.yaml"), file("source: a", "good.yaml")
    file("", "notes.txt")

    assert classifier_files([tmp_path, tmp_path / "absent"]) == [broken, good]


def test_files_with_either_ending_in_any_case_are_found(file, tmp_path):
    found = {file("source: a", name) for name in ("a.yml", "b.YAML", "c.Yml", "d.yaml")}

    assert set(classifier_files([tmp_path])) == found


def test_a_field_may_override_one_that_is_merged_in(file):
    read = Classifier.from_file(file("source: a\ntags: &ours {a: '1', b: '2'}\nnotify: null\n"))
    merged = Classifier.from_file(
        file("source: a\ntags:\n  <<: &ours {a: '1', b: '2'}\n  b: '3'\nkms_keys: {<<: {model_artifact: k}}\n")
    )

    assert read.tags == {"a": "1", "b": "2"}
    assert merged.tags == {"a": "1", "b": "3"}
    assert merged.kms_keys.model_artifact == "k"


def test_a_mapping_that_merges_may_itself_be_merged(file):
    read = Classifier.from_file(
        file("source: a\ntags: &two\n  <<: {a: '1'}\n  a: '2'\nkms_keys: {}\n<<: {description: &d x, tags: *two}\n")
    )

    assert read.tags == {"a": "2"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("source: a\nschedule: daily", "cron expression of five fields in UTC"),
        ("source: a\nmax_cost_usd: .inf", "max_cost_usd is inf"),
        ("source: a\ntags: {'aws:x': y}", "AWS refuses it: keys may not begin with aws:"),
        ("source: a\ntags: {x: 'a*b'}", "tags has 'a*b'"),
        ("source: a\ntags: {<<: {a: b}, <<: {c: d}}", "<< given twice"),
        ("source: a\ntags: {x: {y: 1, y: 2}}", "y given twice"),
        ("source: a\ndescription: 2026-02-31", "cannot be read as YAML"),
        (f"source: {'a' * 200_000}", "(200,002 characters)"),
    ],
    ids=lambda value: value[:30],
)
def test_each_mistake_is_explained_in_a_sentence(file, text, sentence):
    assert sentence in refusal(file(text))
    assert len(refusal(file(text))) < 1000


def test_a_wrong_name_is_explained_in_a_sentence(file):
    assert "1 to 24 lower-case letters" in refusal(file("source: a", "My Cats.yaml"))


def test_tags_in_any_script_are_accepted():
    assert classifier(tags={"équipe": "画像 1_.:/=+-@"}).tags


@pytest.mark.parametrize(
    ("of_file", "of_run", "holds"), [(5.0, 9.0, 5.0), (5.0, 2.0, 2.0), (5.0, None, 5.0), (None, 9.0, 9.0)]
)
def test_the_lower_of_the_files_and_the_runs_cost_limit_holds(of_file, of_run, holds):
    assert with_run_params(classifier(max_cost_usd=of_file), {"max_cost_usd": of_run}).max_cost_usd == holds


def test_an_unknown_param_is_answered_with_all_that_there_are():
    with pytest.raises(ClassifierFileError, match=r"no param epoch; there are .*force_retrain"):
        with_run_params(classifier(), {"epoch": 3})
