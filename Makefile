# Two commands do everything: `make demo` and `make test`. `make` alone lists the rest.
PYTHON ?= python3
AIRFLOW := .venv/airflow/bin/python
LAPTOP := PYTHONPATH=include:plugins $(AIRFLOW) -m laptop
.DEFAULT_GOAL := help
.PHONY: help setup demo up down status dev test pages-test chaos test-package test-local-aws test-algorithm test-pipeline record-calls client-test compose-test bench lint lock service-models algorithm-image aws-preflight aws-deploy aws-destroy wheel mwaa-bundle sbom arm64-wheels

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: ## Make the virtual environments under .venv/
	@$(PYTHON) include/laptop/environments.py

demo: setup ## From labelled images to predictions; your own with DATA=/path/to/folder, LAYOUT=classes or splits
	@$(LAPTOP) demo $(if $(DATA),--data "$(DATA)") $(if $(LAYOUT),--layout $(LAYOUT))

up: setup ## Start the local AWS and Airflow, and leave them running
	@$(LAPTOP) up

down: ## Stop the services; models and predictions are kept
	@test -x $(AIRFLOW) || { echo "Nothing is running: nothing was set up."; exit 0; }; $(LAPTOP) down

status: ## What is running, and where
	@test -x $(AIRFLOW) || { echo "Nothing is running: nothing was set up."; exit 0; }; $(LAPTOP) status

dev: ## The environments with the tools for tests and linters
	@$(PYTHON) include/laptop/environments.py --dev

test: dev ## Unit, Dag, rule and local AWS tests, and the whole pipeline once through Airflow
	@echo "Three parts run two at a time, each shown when it ends: the local AWS, the package, the algorithm; then the whole pipeline."
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) test-local-aws test-package test-algorithm
	@$(MAKE) --no-print-directory test-pipeline

test-package:
	@$(AIRFLOW) -m pytest tests/unit tests/dags tests/rules \
	  --ignore tests/unit/local_aws --ignore tests/unit/image_classification_algorithm

test-local-aws:
	@.venv/local-aws/bin/python -m pytest tests/unit/local_aws tests/local_aws tests/permissions/test_statements.py

test-algorithm:
	@.venv/local-aws/bin/python -m pytest tests/unit/image_classification_algorithm

test-pipeline:
	@$(AIRFLOW) -m pytest tests/e2e

pages-test: dev ## What web pages may do, tried in Debian's Chromium (/usr/bin/chromium)
	@$(AIRFLOW) -m pytest tests/pages

CHAOS_train := a_kill_stops_the_job evaluation_and_tuning_paid_once nothing_is_paid_twice
CHAOS_jobs := failures_by_kind spot
CHAOS_deploy := an_update_that_fails
CHAOS_events := notifications_side_by_side
CHAOS_teardown := teardown
CHAOS_promote := promotion going_back same_labels
CHAOS_FILES = $(if $(PART),$(patsubst %,tests/chaos/test_%.py,$(or $(CHAOS_$(PART)),$(error PART is train, jobs, deploy, events, teardown or promote))),tests/chaos)
chaos: dev ## Kills, faults and late answers, as a table; PART=train, jobs, deploy, events, teardown or promote
	@$(AIRFLOW) -m pytest $(CHAOS_FILES) -v --tb=short $(if $(ONLY),-k "$(ONLY)")

record-calls: dev ## Every kind of run under the shipped policies; writes the calls to docs/permissions.md
	@$(AIRFLOW) -m pytest tests/permissions/test_every_call.py -v --basetemp=build/record-calls
	@PYTHONPATH=include .venv/local-aws/bin/python -m tests.permissions.record build/record-calls/laptop0/aws/calls.jsonl

client-test: dev ## SageMaker SDK v2 and v3, AWS CLI and boto3 against the local AWS: a table; ONLY=boto3 for one client
	@$(PYTHON) include/laptop/environments.py --clients
	@PYTHONPATH=include .venv/local-aws/bin/python tests/clients/run.py $(if $(ONLY),--only $(ONLY))

compose-test: dev ## docker-compose.yaml on this machine's Docker engine: runs, restarts, workers, and nothing left
	@$(AIRFLOW) -m pytest tests/compose

bench: dev ## What the Dag file costs to load, and the function's cold start and work, each against a stated limit
	@PYTHONPATH=include:plugins $(AIRFLOW) tests/benchmarks/parse_dags.py
	@PYTHONPATH=include:lambda $(AIRFLOW) tests/benchmarks/cold_start.py

lint: dev ## ruff, mypy, and cfn-lint for the CloudFormation template
	@.venv/airflow/bin/ruff check .
	@.venv/airflow/bin/ruff format --check .
	@.venv/airflow/bin/mypy include/image_classifier include/laptop plugins lambda dags
	@.venv/airflow/bin/mypy --python-executable .venv/local-aws/bin/python include/local_aws include/image_classification_algorithm
	@.venv/airflow/bin/cfn-lint include/infrastructure/template.yaml

lock: setup ## Write requirements*.txt from pyproject.toml
	@PATH="$(CURDIR)/.venv/uv/bin:$$PATH" sh include/laptop/lock.sh

service-models: setup ## Write what the function's clients read, after an upgrade of botocore
	@PYTHONPATH=include $(AIRFLOW) -m laptop.service_models

AWS := PYTHONPATH=include $(AIRFLOW) -m image_classifier
aws-preflight: setup ## What the AWS account lacks, each with its command; REGION=, PROFILE=, CLASSIFIER=
	@$(AWS) preflight $(CLASSIFIER) $(if $(REGION),--region $(REGION)) $(if $(PROFILE),--profile $(PROFILE))

aws-deploy: setup ## Create or update the stack; REGION=, PROFILE=, PARAMETERS="KmsKeyArn=... InVpc=yes"
	@$(AWS) deploy $(foreach parameter,$(PARAMETERS),--parameter $(parameter)) $(if $(REGION),--region $(REGION)) $(if $(PROFILE),--profile $(PROFILE))

aws-destroy: setup ## List all that the deployment has in the account, ask, delete, list again; KEEP_DATA=1, REGION=, PROFILE=
	@$(AWS) destroy $(if $(KEEP_DATA),--keep-data) $(if $(REGION),--region $(REGION)) $(if $(PROFILE),--profile $(PROFILE))

wheel: dev ## An installable wheel in build/wheel/: operators, Dags and pages for a project of one's own
	@$(AIRFLOW) -m hatchling build -t wheel -d build/wheel

mwaa-bundle: setup ## What Amazon MWAA takes, in build/mwaa/: dags, plugins.zip, requirements.txt
	@PYTHONPATH=include $(AIRFLOW) -m laptop.mwaa_bundle build/mwaa

# cyclonedx-bom runs in an environment of its own: pinned by version, its dependencies are not.
CYCLONEDX := .venv/uv/bin/uv tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py
sbom: setup ## CycloneDX files in build/sbom/: of every lock file, and of both environments with licences
	@mkdir -p build/sbom
	@for file in requirements requirements-containers requirements-local-aws requirements-algorithm lambda/requirements; do \
	  $(CYCLONEDX) requirements $$file.txt --output-reproducible --of JSON -o build/sbom/$$(echo $$file | tr / -).cdx.json || exit 1; done
	@for name in airflow local-aws; do \
	  $(CYCLONEDX) environment .venv/$$name --output-reproducible --of JSON -o build/sbom/installed-$$name.cdx.json || exit 1; done
	@echo "build/sbom: the licences are in installed-*.cdx.json"

arm64-wheels: setup ## Fetch the function's wheels for arm64 on every runtime, which needs pip's index
	@for version in 3.11 3.12 3.13; do $(AIRFLOW) -m pip download --quiet --no-deps --require-hashes --only-binary=:all: \
	  --implementation=cp --platform=manylinux_2_28_aarch64 --platform=manylinux2014_aarch64 --python-version=$$version \
	  --dest=build/arm64-wheels -r lambda/requirements.txt || exit 1; done; ls build/arm64-wheels

IMAGE ?= image-classification:1
DEVICE ?= cpu
comma := ,
# SageMaker's machines are x86_64 and take no image index, which attestations would make of the image.
algorithm-image: ## The open algorithm as an image for SageMaker; DEVICE=cuda, IMAGE=name:tag, PIP_CONF=a pip.conf
	@DOCKER_BUILDKIT=1 BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker build --platform linux/amd64 -t $(IMAGE) \
	  -f include/image_classification_algorithm/Dockerfile --build-arg DEVICE=$(DEVICE) \
	  $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) $(if $(PIP_CONF),--secret id=pip$(comma)src=$(PIP_CONF)) $(DOCKER_BUILD) .
	@sed -e 's|<image>|$(IMAGE)|g' -e 's|<repository>|$(firstword $(subst :, ,$(IMAGE)))|g' include/image_classification_algorithm/push.txt
