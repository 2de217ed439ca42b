"""`python -m image_classifier COMMAND`: checks an account before it costs, and says what a run would change and cost.

AWS is reached as any AWS tool reaches it (environment, profile, role of the machine), and the deployment's settings
come from IMAGE_CLASSIFIER_* variables. It ends with 0 if all is well, with 1 and a sentence if not.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.aws.clients import Clients
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier, classifier_files, classifier_folders
from image_classifier.connect.function import package_of
from image_classifier.contracts.errors import ClassifierFileError, ImageClassifierError
from image_classifier.plan import build, prices
from image_classifier.plan.plan import Plan, check_budget
from image_classifier.plan.preflight_checks.finding import as_report, is_ready
from image_classifier.plan.preflight_checks.run import PreflightClients, preflight


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the process's exit code."""
    options = _options(arguments)
    try:
        code: int = options.run(options)
    except (ImageClassifierError, BotoCoreError, ClientError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return code


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m image_classifier", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    plan = _command(commands, "plan", run=_run_plan, text="what a run would change and cost; changes nothing")
    plan.add_argument("classifier", help="its name, that of its file without .yaml")
    plan.add_argument("--max-cost-usd", type=float, help="end with 1 if it may cost more, or if nobody knows")
    plan.add_argument("--reset-labels", action="store_true", help="number the classes anew, which lets a class go")
    text = "what the account lacks, each with the command that gets it; changes nothing"
    check = _command(commands, "preflight", run=_run_preflight, text=text)
    check.add_argument("classifier", nargs="*", help="names of classifiers; all of them if none is given")
    return parser.parse_args(arguments)


def _command(
    commands: Any, name: str, *, run: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    command.add_argument("--region", help="AWS region, if not the environment's or the profile's")
    command.add_argument("--profile", help="AWS profile, if not the environment's")
    return command


def _client_maker(options: argparse.Namespace) -> Callable[..., Any]:
    """Makes clients of the region and profile that the command line names."""
    session = botocore.session.Session(profile=options.profile)
    region = options.region or session.get_config_variable("region")

    def client(service: str, **arguments: Any) -> Any:
        return session.create_client(service, **{"region_name": region, **arguments})

    return client


def _price_book(client: Callable[..., Any], meta: Any) -> prices.PriceBook:
    return prices.price_book(meta, client=lambda there: client("pricing", region_name=there, config=prices.IMPATIENT))


def _run_plan(options: argparse.Namespace) -> int:
    plan = _plan(options)
    print(plan.as_table())
    if options.max_cost_usd is not None:
        check_budget(plan, max_cost_usd=options.max_cost_usd)
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    classifier, settings = _classifier(options.classifier), Settings.from_env()
    client = _client_maker(options)
    services = {"sagemaker": "sagemaker", "functions": "lambda", "logs": "logs", "s3": "s3", "sqs": "sqs"}
    clients = Clients(**{name: client(service) for name, service in services.items()})
    return build.build_plan(
        classifier,
        clients=clients,
        settings=settings,
        prices=_price_book(client, clients.sagemaker.meta),
        options=build.PlanOptions(code_sha256=package_of(settings).code_sha256, reset_labels=options.reset_labels),
        on_progress=lambda line: print(line, file=sys.stderr),
    )


def _run_preflight(options: argparse.Namespace) -> int:
    names = options.classifier or sorted({file.stem for file in classifier_files(classifier_folders())})
    classifiers, client = [_classifier(name) for name in names], _client_maker(options)
    sts = client("sts")
    clients = PreflightClients(
        sts=sts,
        iam=client("iam"),
        s3=client("s3"),
        ecr=client("ecr"),
        service_quotas=client("service-quotas"),
        prices=_price_book(client, sts.meta),
    )
    findings = list(preflight(classifiers, clients=clients, settings=Settings.from_env()))
    print(as_report(findings))
    return 0 if is_ready(findings) else 1


def _classifier(name: str) -> Classifier:
    files = {file.stem: file for file in reversed(classifier_files(classifier_folders()))}
    if name not in files:
        folders = ", ".join(map(str, classifier_folders()))
        message = f"There is no classifier {name!r}; in {folders} there are: {', '.join(sorted(files)) or 'none'}."
        raise ClassifierFileError(message)
    return Classifier.from_file(files[name])


if __name__ == "__main__":
    sys.exit(main())
