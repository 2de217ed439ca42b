"""Implements the operations on models and endpoint configs, which describe what to serve; no process starts."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final, cast

from local_aws.sagemaker.aws import cannot_assume
from local_aws.sagemaker.protocol.errors import ServiceError, validation_error
from local_aws.sagemaker.protocol.listing import page
from local_aws.sagemaker.protocol.tags import as_dict
from local_aws.sagemaker.registry.addresses import existing_package
from local_aws.sagemaker.store import Collection

if TYPE_CHECKING:
    from local_aws.faults.roles import UnreadyRoles
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Container, Document, EndpointConfig, Model, Plan, ProductionVariant
    from local_aws.sagemaker.images import Images
    from local_aws.sagemaker.store import Store

MODEL = "model"
ENDPOINT_CONFIG = "endpoint-config"
SERVED: Final = "_ServedContainer"  # of a model made from a model package: the container of the package at that time
OF_THE_PACKAGE = ("Image", "ModelDataUrl")  # a container with a model package cannot have these itself
UNSUPPORTED_CONTAINER = (
    "ModelDataSource",
    "AdditionalModelDataSources",
    "MultiModelConfig",
    "ImageConfig",
    "InferenceSpecificationName",
)
UNSUPPORTED_CONFIG = ("AsyncInferenceConfig", "DataCaptureConfig", "ExplainerConfig", "ShadowProductionVariants")
UNSUPPORTED_VARIANT = ("ServerlessConfig", "InstancePools", "ManagedInstanceScaling")


class Models:
    """CreateModel, DescribeModel, ListModels and DeleteModel."""

    def __init__(self, *, aws: Aws, store: Store, images: Images, unready_roles: UnreadyRoles) -> None:
        """Models are documents of the store."""
        self._aws = aws
        self._store = store
        self._images = images
        self._unready_roles = unready_roles

    def create_model(self, request: Document) -> Document:
        """Check that the image, the artifact and the role exist."""
        name = request["ModelName"]
        given = _single_container(request)
        arn = self._aws.arn(MODEL, name)
        if self._store.get(MODEL, name) is not None:
            raise _already_exists("model", arn)
        if "ExecutionRoleArn" in request:
            self._check_role(request["ExecutionRoleArn"], request)
        container = self._from_package(given) if "ModelPackageName" in given else given
        self._images.find(container["Image"])
        uri = container.get("ModelDataUrl")
        aws = self._aws.acting_as(request.get("ExecutionRoleArn"), session="SageMaker")
        if uri and not aws.object_exists(uri):
            raise validation_error(f"Could not find model data at {uri}.")
        model = {key: value for key, value in request.items() if key not in ("Tags", "Containers")}
        model |= {
            "PrimaryContainer": {"Mode": "SingleModel"} | given,
            SERVED: container,
            "ModelArn": arn,
            "CreationTime": time.time(),
        }
        _add(self._store, MODEL, name, model, arn=arn, request=request)
        return {"ModelArn": arn}

    def describe_model(self, request: Document) -> Document:
        """Return the model."""
        return cast("Document", existing_model(self._store, request["ModelName"], aws=self._aws))

    def list_models(self, request: Document) -> Document:
        """Return the models, newest first."""
        summary = ("ModelName", "ModelArn", "CreationTime")
        return page(request, self._store.all(MODEL), answer_key="Models", summary=summary, name_key="ModelName")

    def delete_model(self, request: Document) -> Document:
        """Delete the model; an endpoint that serves it continues."""
        model = self.describe_model(request)
        self._store.remove(MODEL, model["ModelName"], arn=model["ModelArn"])
        return {}

    def _check_role(self, role: str, request: Document) -> None:
        self._aws.check_role(role)
        if self._unready_roles.refuse(role, request=request):
            raise cannot_assume(role)

    def _from_package(self, given: Document) -> Document:
        """Return the container of an approved model package; the model keeps it when the package changes."""
        package = existing_package(self._store, given["ModelPackageName"], aws=self._aws)
        arn, status = package["ModelPackageArn"], package["ModelApprovalStatus"]
        if status != "Approved":
            raise validation_error(
                f"Cannot create a model from model package {arn}: its ModelApprovalStatus is {status}. It must be set "
                "to Approved to deploy the model."
            )
        containers: list[Document] = [dict(item) for item in package["InferenceSpecification"]["Containers"]]
        if len(containers) != 1:
            raise validation_error("This local SageMaker serves models of one container; AWS serves several.")
        container = {key: containers[0][key] for key in (*OF_THE_PACKAGE, "Environment") if key in containers[0]}
        if given.get("Environment") and "Environment" in container:
            raise validation_error(
                "Environment variable map cannot be specified both at Model Package "
                f"{container['Environment']} and Model {given['Environment']}"
            )
        return container | {key: given[key] for key in ("Environment",) if key in given}


class EndpointConfigs:
    """CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs and DeleteEndpointConfig."""

    def __init__(self, *, aws: Aws, store: Store) -> None:
        """Endpoint configs are documents of the store."""
        self._aws = aws
        self._store = store

    def create_endpoint_config(self, request: Document) -> Document:
        """Check that the models exist."""
        name = request["EndpointConfigName"]
        arn = self._aws.arn(ENDPOINT_CONFIG, name)
        if self._store.get(ENDPOINT_CONFIG, name) is not None:
            raise _already_exists("endpoint configuration", arn)
        _refuse(request, UNSUPPORTED_CONFIG)
        variants = [self._variant(variant) for variant in request["ProductionVariants"]]
        names = [variant["VariantName"] for variant in variants]
        if len(names) != len(set(names)):
            raise validation_error(
                f"Variant names must be unique in an endpoint configuration; found {', '.join(names)}."
            )
        config = {key: value for key, value in request.items() if key != "Tags"}
        config |= {"ProductionVariants": variants, "EndpointConfigArn": arn, "CreationTime": time.time()}
        _add(self._store, ENDPOINT_CONFIG, name, config, arn=arn, request=request)
        return {"EndpointConfigArn": arn}

    def describe_endpoint_config(self, request: Document) -> Document:
        """Return the endpoint config."""
        return cast("Document", existing_config(self._store, request["EndpointConfigName"], aws=self._aws))

    def list_endpoint_configs(self, request: Document) -> Document:
        """Return the endpoint configs, newest first."""
        summary = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        return page(
            request,
            self._store.all(ENDPOINT_CONFIG),
            answer_key="EndpointConfigs",
            summary=summary,
            name_key="EndpointConfigName",
        )

    def delete_endpoint_config(self, request: Document) -> Document:
        """Delete the endpoint config; an endpoint that was made from it continues."""
        config = self.describe_endpoint_config(request)
        self._store.remove(ENDPOINT_CONFIG, config["EndpointConfigName"], arn=config["EndpointConfigArn"])
        return {}

    def _variant(self, variant: Document) -> Document:
        _refuse(variant, UNSUPPORTED_VARIANT)
        for member in ("ModelName", "InstanceType", "InitialInstanceCount"):
            if member not in variant:
                raise validation_error(f"Production variant {variant['VariantName']} needs {member}.")
        existing_model(self._store, variant["ModelName"], aws=self._aws)
        return {"InitialVariantWeight": 1.0} | variant


def existing_model(store: Store, name: str, *, aws: Aws) -> Model:
    """Return the model of this name.

    Raises:
        ServiceError: there is no such resource.

    """
    missing = validation_error(f'Could not find model "{aws.arn(MODEL, name)}".')
    return Collection["Model"](store, MODEL).existing(name, otherwise=missing)


def existing_config(store: Store, name: str, *, aws: Aws) -> EndpointConfig:
    """Return the endpoint config of this name.

    Raises:
        ServiceError: there is no such resource.

    """
    missing = validation_error(f'Could not find endpoint configuration "{aws.arn(ENDPOINT_CONFIG, name)}".')
    return Collection["EndpointConfig"](store, ENDPOINT_CONFIG).existing(name, otherwise=missing)


def plan(store: Store, config_name: str, *, aws: Aws) -> Plan:
    """Return everything that a deployment of this endpoint config needs, even if config and models are deleted."""
    config = existing_config(store, config_name, aws=aws)
    names = [variant["ModelName"] for variant in config["ProductionVariants"]]
    models = {name: existing_model(store, name, aws=aws) for name in names}
    return {"config": config, "models": models}


def scaled(plan: Plan, wanted: list[Document]) -> Plan:
    """Return the plan with the weights and instance counts of DesiredWeightsAndCapacities.

    Raises:
        ServiceError: ``ValidationException``, for a variant that is named twice or that the endpoint config does not
            have. moto's tests have the first message.

    """
    config = plan["config"]
    changes = {item["VariantName"]: item for item in wanted}
    twice = next((name for name, count in Counter(item["VariantName"] for item in wanted).items() if count > 1), None)
    if twice is not None:
        raise validation_error(f'The variant name "{twice}" was non-unique within the request.')
    unknown = changes.keys() - {variant["VariantName"] for variant in config["ProductionVariants"]}
    if unknown:
        names = ", ".join(sorted(unknown))
        config_name = config["EndpointConfigName"]
        raise validation_error(
            f'The variant name(s) "{names}" is/are not present within endpoint configuration "{config_name}".'
        )
    variants = [_scaled(variant, changes.get(variant["VariantName"], {})) for variant in config["ProductionVariants"]]
    return {"config": {**config, "ProductionVariants": variants}, "models": plan["models"]}


def _scaled(variant: ProductionVariant, change: Document) -> ProductionVariant:
    _refuse(change, ("ServerlessUpdateConfig",))
    if change.get("DesiredInstanceCount") == 0:
        raise validation_error(f"DesiredInstanceCount of variant {variant['VariantName']} must be at least 1.")
    return {
        **variant,
        "InitialVariantWeight": change.get("DesiredWeight", variant["InitialVariantWeight"]),
        "InitialInstanceCount": change.get("DesiredInstanceCount", variant["InitialInstanceCount"]),
    }


def served_container(model: Model) -> Container:
    """Return image, artifact and environment of a model, also of one that was made from a model package."""
    return model.get(SERVED) or model["PrimaryContainer"]


def instances(plan: Plan) -> Counter[str]:
    """Return how many instances of each type a deployment of the plan takes."""
    wanted: Counter[str] = Counter()
    for variant in plan["config"]["ProductionVariants"]:
        wanted[variant["InstanceType"]] += variant["InitialInstanceCount"]
    return wanted


def _single_container(request: Document) -> Document:
    containers = request.get("Containers", [])
    container = request.get("PrimaryContainer") or (containers[0] if len(containers) == 1 else None)
    if container is None or (containers and "PrimaryContainer" in request):
        raise validation_error(
            "This local SageMaker serves models of one container; give PrimaryContainer and no Containers."
        )
    _refuse(container, UNSUPPORTED_CONTAINER)
    if container.get("Mode", "SingleModel") != "SingleModel":
        raise validation_error(f"This local SageMaker does not have Mode {container['Mode']}; AWS does.")
    if "ModelPackageName" in container and any(name in container for name in OF_THE_PACKAGE):
        raise validation_error(f"A container with ModelPackageName cannot have {' or '.join(OF_THE_PACKAGE)}.")
    if "Image" not in container and "ModelPackageName" not in container:
        raise validation_error("A container needs Image.")
    return dict(container)


def _refuse(request: Document, members: tuple[str, ...]) -> None:
    for name in members:
        if request.get(name):
            raise validation_error(f"This local SageMaker does not have {name}; AWS does.")


def _add(store: Store, kind: str, name: str, document: Document, *, arn: str, request: Document) -> None:
    if not store.add(kind, name, document):
        raise _already_exists(_NOUNS[kind], arn)
    store.set_tags(arn, as_dict(request.get("Tags", [])))


def _already_exists(noun: str, arn: str) -> ServiceError:
    return validation_error(f'Cannot create already existing {noun} "{arn}".')


_NOUNS = {MODEL: "model", ENDPOINT_CONFIG: "endpoint configuration"}
