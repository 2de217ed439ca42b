"""Checks that a plan describes what a run would do with the present resources, and changes nothing."""

import io
from types import SimpleNamespace

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from PIL import Image
from tests.unit.image_classifier.prepared import prepare_dataset

from image_classifier.aws.clients import Clients
from image_classifier.aws.names import Keys
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.connect.function_configuration import function_configuration
from image_classifier.contracts.errors import BudgetError, DatasetError, SettingsError
from image_classifier.deploy.endpoint_config import endpoint_config_request
from image_classifier.deploy.model import model_request
from image_classifier.evaluate.answers import FILE
from image_classifier.evaluate.proportions import proportion
from image_classifier.evaluate.report.model import TrialFigures
from image_classifier.evaluate.trials.choice import tuning_figures, write_tuning
from image_classifier.plan import build, job_lines
from image_classifier.plan.build import PlanOptions, build_plan
from image_classifier.plan.plan import check_budget
from image_classifier.plan.prices import PriceBook, Quoted
from image_classifier.train import attempts, job_request
from image_classifier.train.tuning import tuning_jobs

BUCKET = "pictures"
ACCOUNT = "123456789012"
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")
READS = ("Describe", "Get", "Head", "List")
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:image-classifier-pets"
CREATED = {
    "training job": "started",
    "evaluation": "5 images scored",
    "model": "created",
    "endpoint config": "created",
    "endpoint": "created",
    "function": "created",
    "upload trigger": "created",
}


@pytest.fixture
def calls():
    return []


@pytest.fixture
def clients(monkeypatch, calls):
    """Clients whose calls are recorded by the operation's name."""
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        made = Clients(*(SESSION.client(service) for service in ("sagemaker", "lambda", "logs", "s3", "sqs")))
        made.s3.create_bucket(Bucket=BUCKET)
        for client in (made.sagemaker, made.functions, made.logs, made.s3):
            client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
        yield made


@pytest.fixture
def settings(tmp_path):
    return Settings(
        bucket=BUCKET,
        sagemaker_role_arn=f"arn:aws:iam::{ACCOUNT}:role/sagemaker",
        function_role_arn=f"arn:aws:iam::{ACCOUNT}:role/function",
        failure_queue_arn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:failures",
        data_folder=tmp_path,
    )


@pytest.fixture
def pets(tmp_path):
    for split, count in {"train": 40, "validation": 33}.items():
        for number in range(count):
            file = tmp_path / "images" / split / ("cat", "dog")[number % 2] / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            out = io.BytesIO()
            Image.new("RGB", (8, 8), (number, len(split), 99)).save(out, "PNG")
            file.write_bytes(out.getvalue())
    small = {"image_shape": "3,32,32", "num_layers": 20, "mini_batch_size": 16}
    return Classifier(name="pets", source="images", hyperparameters=small, training={"time_limit_s": 1800})


def quoted(instance_type, use, usd):
    day, page = "2026-01-01", "https://example.org/"
    row = {"region": "us-east-1", "instance_type": instance_type, "use": use, "usd_per_hour": usd}
    return Quoted.model_validate({**row, "as_of": day, "source": page})


PRICES = PriceBook(
    "us-east-1",
    None,
    [
        quoted("ml.g4dn.xlarge", "training", 0.8),
        quoted("ml.m5.large", "hosting", 0.1),
        quoted("ml.m5.xlarge", "hosting", 0.2),
    ],
)


@pytest.fixture
def plan(clients, settings):
    def make(classifier, *, prices=PRICES, **options):
        asked = PlanOptions(code_sha256="code", **options)
        return build_plan(classifier, clients=clients, settings=settings, prices=prices, options=asked)

    return make


def changes(plan):
    return {line.resource: line.change for line in plan.lines if line.resource != "prepared images"}


def line(plan, resource):
    (found,) = [line for line in plan.lines if line.resource == resource]
    return found


def test_making_a_plan_only_reads(plan, pets, clients, calls):
    calls.clear()

    plan(pets)

    assert len(calls) >= 8
    assert [name for name in calls if not name.startswith(READS)] == []
    assert "Contents" not in clients.s3.list_objects_v2(Bucket=BUCKET)


def test_of_a_new_classifier_everything_would_be_made(plan, pets):
    found = plan(pets)

    assert changes(found) == CREATED
    assert line(found, "prepared images").change == "73 uploaded"


def test_the_plan_of_many_images_advises_recordio_unless_the_file_has_it(plan, pets, monkeypatch):
    assert plan(pets).advice == ()
    monkeypatch.setattr(job_lines, "MANY_IMAGES", 68)

    (advice,) = plan(pets).advice

    assert advice.startswith("Advice: set `format: recordio`, because there are 68 images")  # 5 of the 73 are for tests
    assert plan(pets.revised({"format": "recordio"})).advice == ()


@pytest.fixture
def asked(monkeypatch):
    """The arguments by name of the calls that decide which jobs the run would have; they are made."""
    found = {}

    def keep(owner, name, key):
        real = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given, **named: found.update({key: named}) or real(*given, **named))

    keep(build, "plan_dataset", "dataset")
    keep(attempts, "plan_attempt", "training")
    keep(tuning_jobs, "plan_attempt", "tuning")
    return found


def test_the_plan_asks_for_the_jobs_of_exactly_this_run(plan, pets, asked):
    training = {"accept_time_limit": True, "instance_type_fallbacks": ["ml.g5.xlarge"]}
    tuned = Classifier.model_validate({**pets.revised({"training": training}).model_dump(), "tuning": {"max_jobs": 2}})
    run = ("pets_train_and_deploy", "run-1")

    plan(tuned, only_of_run=run, reset_labels=True)

    assert asked["dataset"]["reset_labels"] is True
    assert asked["training"]["accept_time_limit"] is True
    assert [one["ResourceConfig"]["InstanceType"] for one in asked["training"]["alternatives"]] == ["ml.g5.xlarge"]
    assert asked["training"]["only_of_run"] == asked["tuning"]["only_of_run"] == run


@pytest.mark.parametrize("serves", [True, False])
def test_the_plan_is_of_the_job_that_starts_from_the_live_model(plan, pets, monkeypatch, serves):
    asked = []

    def from_champion(sagemaker, s3, request, *, champion):
        asked.append(champion)
        return SimpleNamespace(request={**request, "TrainingJobName": "image-classifier-pets-from-the-champion"})

    serving = SimpleNamespace(training_job="job-0") if serves else None
    monkeypatch.setattr(build, "serving_model", lambda _, classifier: serving)
    monkeypatch.setattr(build, "from_champion", from_champion)

    planned = plan(pets.revised({"training": {"start_from": "champion"}}))

    assert asked == ["job-0" if serves else None]
    assert line(planned, "training job").name == "image-classifier-pets-from-the-champion"
    assert line(plan(pets), "training job").name != line(planned, "training job").name


def test_the_plan_names_the_job_that_the_run_would_start(plan, pets, clients, settings):
    planned = line(plan(pets), "training job").name

    dataset = prepare_dataset(pets, s3=clients.s3, settings=settings)
    request = job_request.training_job_request(pets, settings=settings, region="us-east-1", dataset=dataset)
    assert request["TrainingJobName"] == planned
    assert line(plan(pets), "prepared images").change == "unchanged"
    assert line(plan(pets), "training job").name == planned


@pytest.fixture
def processed(clients, pets, tmp_path):
    """The pets in S3, prepared by a processing job."""
    clients.s3.create_bucket(Bucket="photos")
    for file in (tmp_path / "images").rglob("*.png"):
        key = f"pets/{file.relative_to(tmp_path / 'images')}"
        clients.s3.put_object(Bucket="photos", Key=key, Body=file.read_bytes())
    preparation = {"runner": "processing", "instance_count": 3, "time_limit_s": 1200}
    return Classifier.model_validate({**pets.model_dump(), "source": "s3://photos/pets/", "preparation": preparation})


PROCESSING = PriceBook("us-east-1", None, [*PRICES.table, quoted("ml.m5.xlarge", "processing", 0.3)])


def test_new_images_of_a_processing_job_are_not_read_by_the_plan(plan, processed, calls):
    calls.clear()

    found = plan(processed, prices=PROCESSING)

    assert line(found, "prepared images").change == "73 to read"
    assert line(found, "processing job").cost.once_usd == pytest.approx(3 * 0.3 * 1200 / 3600)
    assert line(found, "training job").cost.once_usd == pytest.approx(0.8 * 1800 / 3600)
    assert {"model", "endpoint config", "endpoint", "function", "upload trigger"} < set(changes(found))
    assert calls.count("GetObject") < 73
    assert [name for name in calls if not name.startswith(READS)] == []


def test_many_new_images_of_a_processing_job_get_the_advice_too(plan, processed, monkeypatch):
    monkeypatch.setattr(job_lines, "MANY_IMAGES", 73)

    (advice,) = plan(processed, prices=PROCESSING).advice

    assert "there are 73 images" in advice


def test_the_plan_advises_against_a_search_of_what_adam_ignores(plan, tuned):
    ranges = {"weight_decay": {"min": 0.001, "max": 0.1}}
    assert plan(tuned).advice == ()

    (advice,) = plan(tuned.revised({"hyperparameters": {"optimizer": "adam"}, "tuning": {"ranges": ranges}})).advice

    assert advice.startswith("Advice: leave weight_decay out of `tuning.ranges`")


def test_a_paused_trigger_stays_so(plan, pets):
    assert changes(plan(pets.revised({"trigger": "paused"})))["upload trigger"] == "paused"


def test_an_unknown_price_of_the_endpoint_makes_the_first_day_unknown(plan, pets):
    without = PriceBook("us-east-1", None, [row for row in PRICES.table if row.instance_type != "ml.m5.large"])

    found = plan(pets, prices=without)

    assert (line(found, "endpoint").cost.hourly_usd, found.first_day_usd) == (None, None)


def test_the_price_of_a_processing_job_counts_towards_the_limit(plan, processed):
    found = plan(processed, prices=PROCESSING)
    jobs = 3 * 0.3 * 1200 / 3600 + 0.8 * 1800 / 3600 + 2 * 0.2

    assert found.first_day_usd == pytest.approx(jobs + 24 * 0.1)
    with pytest.raises(BudgetError, match="max_cost_usd is 3"):
        check_budget(found, max_cost_usd=3)


def test_once_the_images_are_known_the_plan_names_the_jobs(plan, processed, clients, settings):
    dataset = prepare_dataset(processed, s3=clients.s3, settings=settings)

    found = plan(processed, prices=PROCESSING)

    request = job_request.training_job_request(processed, settings=settings, region="us-east-1", dataset=dataset)
    assert line(found, "training job").name == request["TrainingJobName"]
    assert "processing job" not in changes(found)


def test_training_costs_price_times_limit_times_machines(plan, pets):
    two = pets.revised({"training": {"instance_count": 2}})

    cost = line(plan(two), "training job").cost

    assert cost.once_usd == pytest.approx(0.8 * 2 * 1800 / 3600)
    assert cost.words.startswith("0.80 USD: 2 x ml.g4dn.xlarge for 1,800 s at 0.8 an hour (https://example.org/")


SEARCH = {"max_jobs": 5, "finalists": 2, "ranges": {"learning_rate": {"min": 0.001, "max": 0.1}}}


@pytest.fixture
def tuned(pets):
    return Classifier.model_validate({**pets.model_dump(), "tuning": SEARCH})


def test_tuning_costs_all_its_jobs_and_what_scores_their_models(plan, tuned):
    found = plan(tuned)

    jobs, scored = line(found, "tuning job"), line(found, "validation")
    assert jobs.change == "started"
    assert jobs.cost.once_usd == pytest.approx(4 * 0.8 * 1800 / 3600)
    assert jobs.cost.words.startswith("1.60 USD: 4 jobs of 1 x ml.g4dn.xlarge for 1,800 s each at 0.8 an hour")
    assert scored.change == "3 models scored"
    assert scored.cost.once_usd == pytest.approx(3 * 0.2)
    assert changes(found)["model"] == "created"


def test_the_budget_stops_a_search_that_a_single_training_would_pass(plan, pets, tuned):
    limit = plan(pets).first_day_usd + 0.01

    check_budget(plan(pets), max_cost_usd=limit)
    with pytest.raises(BudgetError, match="Nothing was started"):
        check_budget(plan(tuned), max_cost_usd=limit)


def test_a_run_that_does_not_tune_pays_for_no_search(plan, pets, tuned):
    off = tuned.revised({"tuning": {"enabled": False}})

    assert plan(off).lines == plan(pets).lines


def test_a_search_that_is_done_costs_nothing_and_says_which_model_it_chose(plan, tuned, clients, settings, monkeypatch):
    prepare_dataset(tuned, s3=clients.s3, settings=settings)
    deploy(plan(tuned), tuned, clients, settings)
    search, best = line(plan(tuned), "tuning job").name, "image-classifier-0123456789abcde-001-01234567"
    monkeypatch.setattr(tuning_jobs, "has_best_model", lambda *_, **__: True)
    described = {"HyperParameterTuningJobStatus": "Completed"}
    monkeypatch.setattr(tuning_jobs, "describe_tuning_job", lambda _, name: described if name == search else None)
    assert line(plan(tuned), "validation").change == "3 models scored"
    trial = TrialFigures(
        training_job=best,
        hyperparameters={},
        status="Completed",
        is_default=False,
        last_epoch_accuracy=0.9,
        validation=proportion(9, 10),
        log_loss=0.1,
    )
    write_tuning(
        clients.s3, tuning_figures(tuned.tuning, tuning_job=search, trials=[trial]), classifier="pets", bucket=BUCKET
    )

    found = plan(tuned)

    assert (line(found, "tuning job").change, line(found, "validation").change) == ("reused", "unchanged")
    assert line(found, "validation").name == f"{best} is chosen"
    assert line(found, "evaluation").name == best
    assert line(found, "tuning job").cost.once_usd == 0


@pytest.mark.parametrize(
    ("status", "change"), [("InProgress", "followed"), ("Stopping", "started once it has stopped")]
)
def test_a_search_in_progress_is_followed(plan, tuned, monkeypatch, status, change):
    described = {"HyperParameterTuningJobStatus": status}
    monkeypatch.setattr(tuning_jobs, "describe_tuning_job", lambda *_: described)

    assert line(plan(tuned), "tuning job").change == change


def test_an_evaluation_costs_two_machines_up_to_their_time_limit(plan, pets):
    cost = line(plan(pets.revised({"evaluation": {"time_limit_s": 1800}})), "evaluation").cost

    assert cost.once_usd == pytest.approx(2 * 0.2 * 1800 / 3600)
    assert cost.words.startswith("0.20 USD: 2 x ml.m5.xlarge for 1,800 s at 0.2 an hour")


def test_the_plan_says_what_the_test_set_can_show(plan, pets):
    assert " test images measure an accuracy of about 95% with an interval from " in plan(pets).test_set[0]
    assert plan(pets.revised({"test_fraction": 0})).test_set == ("There is no test image, so nothing can be shown.",)


def test_an_evaluation_whose_price_is_unknown_is_not_called_free(plan, pets):
    other = pets.revised({"evaluation": {"instance_type": "ml.c5.large"}})

    assert line(plan(other), "evaluation").cost.once_usd is None
    assert line(plan(pets.revised({"test_fraction": 0})), "evaluation").cost.once_usd == 0


def test_of_several_machines_that_will_do_the_dearest_counts(plan, pets):
    dear = quoted("ml.g5.xlarge", "training", 1.6)
    prices = PriceBook("us-east-1", None, [*PRICES.table, dear])
    either = pets.revised({"training": {"instance_type_fallbacks": ["ml.g5.xlarge"]}})

    assert line(plan(either, prices=prices), "training job").cost.once_usd == pytest.approx(0.8)
    assert line(plan(either), "training job").cost.once_usd is None


def test_managed_spot_costs_at_most_what_is_paid_on_demand(plan, pets):
    spot = pets.revised({"training": {"spot": True, "max_wait_s": 3600}})

    cost = line(plan(spot), "training job").cost

    assert cost.once_usd == pytest.approx(0.4)
    assert cost.words.endswith("managed spot costs less")


def test_an_endpoint_is_priced_by_hour_day_and_month(plan, pets):
    three = pets.revised({"endpoint": {"instance_count": 3}})

    cost = line(plan(three), "endpoint").cost

    assert cost.hourly_usd == pytest.approx(0.3)
    assert cost.words.startswith("0.300 USD an hour, 7.20 a day, 219.00 a month: 3 x ml.m5.large")


def test_a_price_that_is_unknown_stays_unknown(plan, pets):
    found = plan(pets, prices=PriceBook("us-east-1", None, []))

    assert found.first_day_usd is None
    assert line(found, "training job").cost.words.startswith("unknown: 1 x ml.g4dn.xlarge for 1,800 s, ")
    assert line(found, "endpoint").cost.words.startswith("unknown: 1 x ml.m5.large")


def test_a_run_that_wants_a_job_of_its_own_pays_for_one(plan, pets, clients, settings):
    prepare_dataset(pets, s3=clients.s3, settings=settings)
    deploy(plan(pets), pets, clients, settings)

    forced = line(plan(pets, only_of_run=("dag", "run-1")), "training job")

    assert forced.change == "started"
    assert forced.cost.once_usd == pytest.approx(0.4)


def test_what_is_there_would_be_left_alone(plan, pets, clients, settings):
    prepare_dataset(pets, s3=clients.s3, settings=settings)
    deploy(plan(pets), pets, clients, settings)

    found = plan(pets)

    assert changes(found) == {
        "training job": "reused",
        "evaluation": "unchanged",
        "model": "unchanged",
        "endpoint config": "unchanged",
        "endpoint": "unchanged",
        "function": "created",
        "upload trigger": "unchanged",
    }
    assert found.first_day_usd == 0


def test_a_live_model_without_answers_for_the_test_images_is_scored(plan, pets, clients, settings, monkeypatch):
    dataset = prepare_dataset(pets, s3=clients.s3, settings=settings)
    deploy(plan(pets), pets, clients, settings)
    serving = SimpleNamespace(training_job="job-0")
    monkeypatch.setattr(job_lines, "serving_model", lambda _, classifier: serving)

    found = line(plan(pets), "evaluation")

    assert (found.name, found.change) == ("job-0", "5 images scored")
    assert found.cost.once_usd == pytest.approx(0.2)
    answers = Keys("pets").evaluation("job-0", test_manifest=dataset.test_manifest_sha256) + FILE
    clients.s3.put_object(Bucket=BUCKET, Key=answers, Body=b"")
    assert line(plan(pets), "evaluation").change == "unchanged"


def test_another_machine_would_update_the_endpoint(plan, pets, clients, settings):
    prepare_dataset(pets, s3=clients.s3, settings=settings)
    deploy(plan(pets), pets, clients, settings)

    found = plan(pets.revised({"endpoint": {"instance_count": 2}}))

    assert changes(found)["endpoint"] == "updated"
    assert found.first_day_usd == pytest.approx(24 * 0.2)


def deploy(planned, classifier, clients, settings):
    """What a run would have made, as far as moto has it."""
    name = line(planned, "training job").name
    dataset = prepare_dataset(classifier, s3=clients.s3, settings=settings)
    request = job_request.training_job_request(classifier, settings=settings, region="us-east-1", dataset=dataset)
    clients.sagemaker.create_training_job(**request)
    artifact = f"{request['OutputDataConfig']['S3OutputPath']}/{name}/output/model.tar.gz"
    report = f"pets/evaluations/{name}/{dataset.test_manifest_sha256[:8]}/report.json"
    clients.s3.put_object(Bucket=BUCKET, Key=report, Body=b"")
    clients.s3.put_object(Bucket=BUCKET, Key=artifact.removeprefix(f"s3://{BUCKET}/"), Body=b"")
    image = request["AlgorithmSpecification"]["TrainingImage"]
    model = model_request(classifier, settings=settings, training_job=name, model_artifact=artifact, image=image)
    config = endpoint_config_request(classifier, training_job=name, model=model)
    clients.sagemaker.create_model(**model)
    clients.sagemaker.create_endpoint_config(**config)
    clients.sagemaker.create_endpoint(
        EndpointName=line(planned, "endpoint").name, EndpointConfigName=config["EndpointConfigName"]
    )
    entry = {
        "Id": "image-classifier-pets",
        "LambdaFunctionArn": f"{FUNCTION}:live",
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "pets/incoming/"}]}},
    }
    clients.s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": [entry]}
    )


def test_an_endpoint_that_failed_would_be_made_again(plan, pets, monkeypatch):
    monkeypatch.setattr(
        "image_classifier.deploy.endpoint.describe_endpoint",
        lambda *_: {"EndpointStatus": "Failed", "EndpointConfigName": "old"},
    )

    assert changes(plan(pets))["endpoint"] == "created anew"


def test_a_bucket_that_is_not_there_is_found_out_first(clients, settings, pets):
    with pytest.raises(SettingsError, match="cannot be reached"):
        build_plan(
            pets,
            clients=clients,
            settings=settings.model_copy(update={"bucket": "nowhere"}),
            prices=PRICES,
            options=PlanOptions(code_sha256="code"),
        )


def test_images_that_cannot_be_trained_on_are_an_error_of_the_plan(plan, pets):
    with pytest.raises(DatasetError):
        plan(pets.revised({"source": "elsewhere"}))


@pytest.mark.parametrize(("sha256", "change"), [("code", "unchanged"), ("older", "updated")])
def test_a_function_with_other_code_would_be_updated(plan, pets, clients, settings, sha256, change):
    found = plan(pets)
    wanted = function_configuration(
        pets,
        settings=settings,
        training_job=line(found, "training job").name,
        endpoint_config=line(found, "endpoint config").name,
    )
    configuration = {**wanted.as_request(), "CodeSha256": sha256, "Architectures": ["x86_64"]}
    with Stubber(clients.functions) as aws:
        aws.add_response("get_function", {"Configuration": configuration, "Tags": {}})

        assert line(plan(pets), "function").change == change
