"""Implements `python -m image_classifier COMMAND`: inspect, init, deploy, preflight, plan and destroy.

Region and credentials come from boto3's usual sources (environment, profile, role of the machine), and the deployment's
settings from IMAGE_CLASSIFIER_* variables. The exit code is 0, or 1 with an error message.
"""

import argparse
import importlib.util
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

if importlib.util.find_spec("tenacity") is None:  # another Python than that of the package's environment
    sys.exit(
        f"{sys.executable} lacks this package's requirements: use .venv/airflow/bin/python, which `make setup` makes."
    )

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from image_classifier.account.destroy import destroy
from image_classifier.account.project import write_project
from image_classifier.account.remains import Account, find_remains
from image_classifier.account.stack import (
    STACK_NAME,
    StackRequest,
    deploy_stack,
    describe_stack,
    output_of,
    settings_of,
)
from image_classifier.aws.clients import Clients
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.classifier.files import FOLDERS_VARIABLE
from image_classifier.connect.function_package import package_of
from image_classifier.contracts.errors import ClassifierFileError, DatasetError, ImageClassifierError
from image_classifier.plan import build, prices
from image_classifier.plan.plan import Plan, check_budget
from image_classifier.plan.preflight_checks.finding import as_report, is_ready
from image_classifier.plan.preflight_checks.run import PreflightClients, preflight
from image_classifier.prepare.inspect_arguments import add_inspect_arguments, fields_of, hint
from image_classifier.prepare.inspect_source import inspect_source

POLICIES = {
    "AirflowPolicyArn": "role of the scheduler, workers, triggerer and Dag processor",
    "ApiServerPolicyArn": "role of the API server, for the pages",
    "AirflowKmsPolicyArn": "role of each of them",
}
COLONS_OF_ARN = 5
REMEDIES: dict[type[Exception], str] = {
    NoRegionError: " Add --region eu-central-1 (make: REGION=eu-central-1), or set AWS_DEFAULT_REGION.",
    NoCredentialsError: ". Add --profile NAME (make: PROFILE=NAME), or run `aws configure`.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the process's exit code."""
    options = _options(arguments)
    try:
        code: int = options.run(options)
    except (ImageClassifierError, BotoCoreError, ClientError) as error:
        print(f"{type(error).__name__}: {error}{REMEDIES.get(type(error), '')}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"A file cannot be read or written: {error}", file=sys.stderr)
        return 1
    return code


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m image_classifier", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    plan = _command(commands, "plan", run=_run_plan, text="show what a run would change and cost; nothing is changed")
    plan.add_argument("classifier", help="the classifier's name: its file's name without .yaml")
    plan.add_argument(
        "--max-cost-usd", type=float, help="exit with 1 if the run may cost more, or if its cost is unknown"
    )
    plan.add_argument(
        "--reset-labels", action="store_true", help="number the classes anew, which allows removing a class"
    )
    text = "check what the account lacks, each with the command that provides it; nothing is changed"
    check = _command(commands, "preflight", run=_run_preflight, text=text)
    check.add_argument("classifier", nargs="*", help="names of classifiers; default: all")
    text = "a role or user whose permissions are checked; default: yours"
    check.add_argument("--principal", type=_principal, metavar="ARN", help=text)
    _inspect_command(commands)
    _deploy_command(commands)
    _init_command(commands)
    _destroy_command(commands)
    return parser.parse_args(arguments)


def _inspect_command(commands: Any) -> None:
    text = (
        "inspect labelled images: which ones a run would use and leave out, and its warnings; needs no AWS for a folder"
    )
    inspect = _command(commands, "inspect", run=_run_inspect, text=text)
    add_inspect_arguments(inspect)


def _deploy_command(commands: Any) -> None:
    text = "create or update the stack that all classifiers share, and print Airflow's settings"
    deploy = _command(commands, "deploy", run=_run_deploy, text=text)
    deploy.add_argument("--stack-name", default=STACK_NAME)
    deploy.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=_parameter,
        metavar="NAME=VALUE",
        help="a parameter of include/infrastructure/template.yaml, as KmsKeyArn=arn:...; may be repeated",
    )


def _init_command(commands: Any) -> None:
    text = "write the Dag files and a classifier file into a project that has installed this package"
    init = commands.add_parser("init", help=text, description=text)
    init.set_defaults(run=_run_init)
    init.add_argument("folder", type=Path, help="the project's folder, in which dags/ and classifiers/ are written")
    init.add_argument("--classifier", default="photographs", help="name of the first classifier (default: %(default)s)")
    init.add_argument("--source", required=True, help="its labelled images: a folder or s3://bucket/prefix/")


def _destroy_command(commands: Any) -> None:
    text = "list everything of the deployment, ask for confirmation, delete it, and list again"
    remove = _command(commands, "destroy", run=_run_destroy, text=text)
    remove.add_argument("--stack-name", default=STACK_NAME)
    remove.add_argument("--bucket", default="", help="the bucket of a stack that was deleted already")
    remove.add_argument("--keep-data", action="store_true", help="keep the bucket and all its objects")
    remove.add_argument("--yes", metavar="STACK", default="", help="the stack's name: delete without asking")


def _parameter(text: str) -> tuple[str, str]:
    name, is_pair, value = text.partition("=")
    if not (name and is_pair):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _principal(text: str) -> str:
    if text.count(":") < COLONS_OF_ARN or not text.startswith("arn:"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not the ARN of a role or user, as arn:aws:iam::<account>:role/<name>"
        )
    return text


def _command(
    commands: Any, name: str, *, run: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    command.add_argument("--region", help="AWS region, if not the environment's or the profile's")
    command.add_argument("--profile", help="AWS profile, if not the environment's")
    return command


def _client_maker(options: argparse.Namespace) -> Callable[..., Any]:
    """Return a function that creates clients of the command line's region and profile."""
    session = botocore.session.Session(profile=options.profile)
    region = options.region or session.get_config_variable("region")

    def client(service: str, **arguments: Any) -> Any:
        return session.create_client(service, **{"region_name": region, **arguments})

    return client


def _clients(client: Callable[..., Any]) -> Clients:
    services = {"sagemaker": "sagemaker", "functions": "lambda", "logs": "logs", "s3": "s3", "sqs": "sqs"}
    return Clients(**{name: client(service) for name, service in services.items()})


def _price_book(client: Callable[..., Any], meta: Any) -> prices.PriceBook:
    return prices.price_book(meta, client=lambda there: client("pricing", region_name=there, config=prices.IMPATIENT))


def _run_plan(options: argparse.Namespace) -> int:
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("image_classifier.prepare").setLevel(logging.INFO)  # images may take minutes
    plan = _plan(options)
    print(plan.as_table())
    if options.max_cost_usd is not None:
        check_budget(plan, max_cost_usd=options.max_cost_usd)
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    classifier, settings = _classifier(options.classifier), Settings.from_env()
    client = _client_maker(options)
    clients = _clients(client)
    return build.build_plan(
        classifier,
        clients=clients,
        settings=settings,
        prices=_price_book(client, clients.sagemaker.meta),
        options=build.PlanOptions(code_sha256=package_of(settings).code_sha256, reset_labels=options.reset_labels),
    )


def _run_preflight(options: argparse.Namespace) -> int:
    names = options.classifier or sorted({file.stem for file in classifier_files(classifier_folders())})
    classifiers, client = [_classifier(name) for name in names], _client_maker(options)
    sts = client("sts")
    clients = PreflightClients(
        sts=sts,
        iam=client("iam"),
        s3=client("s3"),
        sagemaker=client("sagemaker"),
        functions=client("lambda"),
        ecr=client("ecr"),
        service_quotas=client("service-quotas"),
        prices=_price_book(client, sts.meta),
    )
    settings, principal = Settings.from_env(), options.principal or ""
    findings = list(preflight(classifiers, clients=clients, settings=settings, principal=principal))
    print(as_report(findings))
    return 0 if is_ready(findings) else 1


def _run_inspect(options: argparse.Namespace) -> int:
    s3 = _client_maker(options)("s3") if options.source.startswith("s3://") else None
    try:
        found = inspect_source(
            options.source, fields=fields_of(options), s3=s3, on_progress=lambda line: print(line, file=sys.stderr)
        )
    except DatasetError as error:
        raise DatasetError(f"{error}{hint(str(error))}") from error
    print(found.as_text())
    if options.report:
        print(f"Report: {found.write(options.report)}")
    return 0


def _run_deploy(options: argparse.Namespace) -> int:
    cloudformation = _client_maker(options)("cloudformation")
    outcome = deploy_stack(cloudformation, StackRequest(options.stack_name, dict(options.parameter)))
    stack = describe_stack(cloudformation, options.stack_name) or {}
    print(f"# Stack {options.stack_name} is {outcome}. Put these into the environment of every part of Airflow:")
    print("\n".join(f"{name}={value}" for name, value in settings_of(stack).items()))
    print("# Attach these policies to the roles that Airflow works as:")
    for key, who in POLICIES.items():
        if arn := output_of(stack, key):
            print(f"#   aws iam attach-role-policy --role-name <{who}> --policy-arn {arn}")
    return 0


def _run_init(options: argparse.Namespace) -> int:
    for outcome, file in write_project(options.folder, classifier=options.classifier, source=options.source):
        print(f"{outcome:<8} {file}")
    folder = options.folder.resolve()
    print(f"Set {FOLDERS_VARIABLE}={folder / 'classifiers'} for every part of Airflow; its Dags folder")
    print(f"is {folder / 'dags'}. `image-classifier deploy` creates what is needed on AWS.")
    return 0


def _run_destroy(options: argparse.Namespace) -> int:
    client = _client_maker(options)
    account = Account(client("cloudformation"), client("iam"), _clients(client), options.stack_name)
    remains = find_remains(account, bucket=options.bucket)
    print(remains.as_table(), flush=True)
    if remains.is_empty:
        return 0
    if not _is_confirmed(options):
        print(f"\nThe answer is not {options.stack_name}. Nothing was deleted.", file=sys.stderr)
        return 1
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    destroy(account, remains, keep_data=options.keep_data)
    left = find_remains(account, bucket=remains.named_bucket, role_arn=remains.role_arn)
    print("Nothing is left." if left.is_empty else f"Left:\n{left.as_table()}")
    return 0 if left.is_empty or (options.keep_data and left.is_only_data) else 1


def _is_confirmed(options: argparse.Namespace) -> bool:
    if options.yes:
        return bool(options.yes == options.stack_name)
    kept = "The bucket stays. " if options.keep_data else "Images, models and predictions are deleted for good. "
    print(f"{kept}Pause the Dags first: a run would create its classifier again.", file=sys.stderr)
    try:
        answer = input(f"Type {options.stack_name} to delete all this: ")
    except EOFError:  # without a terminal nobody can answer: --yes is the answer there
        answer = ""
    return bool(answer == options.stack_name)


def _classifier(name: str) -> Classifier:
    files = {file.stem: file for file in reversed(classifier_files(classifier_folders()))}
    if name not in files:
        folders = ", ".join(map(str, classifier_folders()))
        message = f"There is no classifier {name!r}; in {folders} there are: {', '.join(sorted(files)) or 'none'}."
        raise ClassifierFileError(message)
    return Classifier.from_file(files[name])


if __name__ == "__main__":
    sys.exit(main())
