# Two commands do everything: `make demo` and `make test`. `make` alone lists the rest.
PYTHON ?= python3
AIRFLOW := .venv/airflow/bin/python
LAPTOP := PYTHONPATH=include:plugins $(AIRFLOW) -m laptop
.DEFAULT_GOAL := help
.PHONY: help setup demo up down status airflow dev test pages-test screenshots chaos fuzz test-package test-local-aws test-algorithm test-boto3 test-pipeline record-calls client-test oldest-test compose-test bench bench-data lint lock service-models algorithm-image preparation-image aws-preflight aws-deploy aws-destroy wheel mwaa-bundle sbom arm64-wheels

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

setup: ## Create the virtual environments under .venv/
	@$(PYTHON) include/laptop/environments.py

demo: setup ## Train, deploy and classify 20 images; your own with DATA=folder or labels.csv, and EXCLUDE=, COLUMNS=, ...
	@$(LAPTOP) demo $(if $(DATA),--data "$(DATA)") $(if $(LAYOUT),--layout $(LAYOUT)) \
	  $(if $(INCLUDE),--include "$(INCLUDE)") $(if $(EXCLUDE),--exclude "$(EXCLUDE)") \
	  $(if $(COLUMNS),--columns "$(COLUMNS)") $(if $(CLASSES),--classes "$(CLASSES)")

up: setup ## Start the local AWS and Airflow, and leave them running
	@$(LAPTOP) up

down: ## Stop the services; models and predictions are kept
	@test -x $(AIRFLOW) || { echo "Nothing is running: nothing was set up."; exit 0; }; $(LAPTOP) down

status: ## Show which services run, and their addresses
	@test -x $(AIRFLOW) || { echo "Nothing is running: nothing was set up."; exit 0; }; $(LAPTOP) status

airflow: ## Run Airflow's command line while the services run: RUN="dags list"
	@test -x $(AIRFLOW) || { echo "Nothing is running: nothing was set up."; exit 1; }; $(LAPTOP) airflow $(RUN)

dev: ## Install the tools for tests and linters
	@$(PYTHON) include/laptop/environments.py --dev

test: dev ## Run unit, Dag, rule and local AWS tests, boto3's client test, and the whole pipeline once through Airflow
	@echo "Four parts run two at a time, each shown when it ends: the local AWS, the package, the algorithm, boto3; then the whole pipeline."
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) test-local-aws test-package test-algorithm test-boto3
	@$(MAKE) --no-print-directory test-pipeline

test-package:
	@$(AIRFLOW) -m pytest tests/unit tests/dags tests/rules \
	  --ignore tests/unit/local_aws --ignore tests/unit/image_classification_algorithm

test-local-aws:
	@.venv/local-aws/bin/python -m pytest tests/unit/local_aws tests/local_aws tests/permissions/test_statements.py

test-algorithm:
	@.venv/local-aws/bin/python -m pytest tests/unit/image_classification_algorithm

test-boto3:
	@PYTHONPATH=include:. .venv/local-aws/bin/python tests/clients/run.py --only boto3

test-pipeline:
	@$(AIRFLOW) -m pytest tests/e2e

pages-test: dev ## Test the pages, and attacks by web pages, in Debian's Chromium (/usr/bin/chromium)
	@$(AIRFLOW) -m pytest tests/pages

screenshots: dev ## Make the pictures of README and docs anew, while the services of `make demo` run
	@PYTHONPATH=include:plugins:. $(AIRFLOW) -m tests.pages.screenshots

CHAOS_train := a_kill_stops_the_job evaluation_and_tuning_paid_once nothing_is_paid_twice
CHAOS_jobs := failures_by_kind spot
CHAOS_deploy := an_update_that_fails
CHAOS_events := notifications_side_by_side trigger_modes every_upload_gets_its_record
CHAOS_teardown := teardown
CHAOS_data := mapped_shards preparation_killed processing_killed
CHAOS_promote := promotion going_back same_labels
CHAOS_FILES = $(if $(PART),$(patsubst %,tests/chaos/test_%.py,$(or $(CHAOS_$(PART)),$(error PART is train, jobs, deploy, events, teardown, promote or data))),tests/chaos)
chaos: dev ## Test kills, faults and late answers; PART=train, jobs, deploy, events, teardown, promote or data; UPLOADS=5000
	@$(AIRFLOW) -m pytest $(CHAOS_FILES) -v --tb=short $(if $(ONLY),-k "$(ONLY)")

fuzz: dev ## Give the inference function random files and events within 1,024 MB; MINUTES=10, SEED=0
	@PYTHONPATH=include:lambda:. $(AIRFLOW) -m tests.fuzz.inference_function

record-calls: dev ## Record the calls of every kind of run under the shipped policies in docs/permissions.md
	@mkdir -p build
	@$(AIRFLOW) -m pytest tests/permissions/test_every_call.py -v --basetemp=build/record-calls
	@.venv/local-aws/bin/python -m pytest $(addprefix tests/local_aws/iam/test_,jobs.py pages.py preparation.py changed_by_others.py) --basetemp=build/record-calls-of-jobs
	@PYTHONPATH=include .venv/local-aws/bin/python -m tests.permissions.record build/record-calls/laptop0/aws/calls.jsonl build/record-calls-of-jobs/iam*/state/calls.jsonl

client-test: dev ## Test SageMaker SDK v2 and v3, AWS CLI, boto3 and moto's tests against the local AWS; ONLY=boto3 for one client
	@$(PYTHON) include/laptop/environments.py --clients
	@PYTHONPATH=include:. .venv/local-aws/bin/python tests/clients/run.py $(if $(ONLY),--only $(ONLY))

oldest-test: dev ## Test Dags and plugin on the oldest release of Airflow that the package takes
	@$(PYTHON) include/laptop/environments.py --oldest
	@.venv/airflow-oldest/bin/python -m pytest tests/dags tests/unit/image_classifier_airflow

compose-test: dev ## Test docker-compose.yaml on this machine's Docker engine: runs, restarts, workers, clean-up
	@$(AIRFLOW) -m pytest tests/compose

BENCH := small photographs generated rounds rows
bench: dev ## Measure the Dag file's loading, the function's start and work, and the data path beside im2rec, s5cmd and others
	@PYTHONPATH=include:plugins $(AIRFLOW) tests/benchmarks/parse_dags.py
	@PYTHONPATH=include:lambda $(AIRFLOW) tests/benchmarks/cold_start.py
	@PYTHONPATH=include:lambda $(AIRFLOW) tests/benchmarks/warm_image.py
	@PYTHONPATH=include:. $(AIRFLOW) tests/benchmarks/uploads_to_records.py
	@$(MAKE) --no-print-directory bench-data

bench-data: dev ## Only the data path; small=2000 photographs=500 generated=10000 rounds=1 rows="packing uploads" for a short one
	@PYTHONPATH=include:. $(AIRFLOW) -m tests.benchmarks.data_path $(foreach option,$(BENCH),$(if $($(option)),--$(option) "$($(option))"))

lint: dev ## Run ruff, mypy, and cfn-lint for the CloudFormation template
	@.venv/airflow/bin/ruff check .
	@.venv/airflow/bin/ruff format --check .
	@.venv/airflow/bin/mypy include/image_classifier include/image_preparation include/laptop plugins lambda dags
	@.venv/airflow/bin/mypy --python-executable .venv/local-aws/bin/python include/local_aws include/image_classification_algorithm
	@.venv/airflow/bin/cfn-lint include/infrastructure/template.yaml

lock: setup ## Write requirements*.txt from pyproject.toml
	@PATH="$(CURDIR)/.venv/uv/bin:$$PATH" sh include/laptop/lock.sh

service-models: setup ## Write the service models of the function's clients, after an upgrade of botocore
	@PYTHONPATH=include $(AIRFLOW) -m laptop.service_models

AWS := PYTHONPATH=include $(AIRFLOW) -m image_classifier
aws-preflight: setup ## Show what the AWS account lacks, with commands that provide it; REGION=, PROFILE=, CLASSIFIER=, PRINCIPAL=
	@$(AWS) preflight $(CLASSIFIER) $(if $(PRINCIPAL),--principal $(PRINCIPAL)) $(if $(REGION),--region $(REGION)) $(if $(PROFILE),--profile $(PROFILE))

aws-deploy: setup ## Create or update the stack; REGION=, PROFILE=, PARAMETERS="KmsKeyArn=... InVpc=yes"
	@$(AWS) deploy $(foreach parameter,$(PARAMETERS),--parameter $(parameter)) $(if $(REGION),--region $(REGION)) $(if $(PROFILE),--profile $(PROFILE))

aws-destroy: setup ## List the deployment's resources, ask, delete them, list again; KEEP_DATA=1, REGION=, PROFILE=
	@$(AWS) destroy $(if $(KEEP_DATA),--keep-data) $(if $(REGION),--region $(REGION)) $(if $(PROFILE),--profile $(PROFILE))

wheel: dev ## Build a wheel in build/wheel/: operators, Dags and pages for another Airflow project
	@$(AIRFLOW) -m hatchling build -t wheel -d build/wheel

mwaa-bundle: setup ## Build the bundle for Amazon MWAA in build/mwaa/: dags, plugins.zip, requirements.txt
	@PYTHONPATH=include $(AIRFLOW) -m laptop.mwaa_bundle build/mwaa

# cyclonedx-bom runs in an environment of its own: pinned by version, its dependencies are not.
CYCLONEDX := .venv/uv/bin/uv tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py
sbom: setup ## Write CycloneDX files to build/sbom/: of every lock file, and of what is installed with licences; and docs/licences.md
	@mkdir -p build/sbom
	@for file in requirements requirements-containers requirements-local-aws requirements-algorithm requirements-preparation lambda/requirements; do \
	  $(CYCLONEDX) requirements $$file.txt --output-reproducible --of JSON -o build/sbom/$$(echo $$file | tr / -).cdx.json || exit 1; done
	@.venv/uv/bin/uv venv --quiet --clear --python $(AIRFLOW) build/containers
	@.venv/uv/bin/uv pip install --quiet --python build/containers --no-deps --require-hashes -r requirements-containers.txt
	@for environment in .venv/airflow .venv/local-aws build/containers; do \
	  $(CYCLONEDX) environment $$environment --output-reproducible --of JSON -o build/sbom/installed-$$(basename $$environment).cdx.json || exit 1; done
	@PYTHONPATH=include $(AIRFLOW) -m laptop.licences build/sbom/installed-*.cdx.json
	@echo "build/sbom: the licences are in installed-*.cdx.json and docs/licences.md"

preparation-image: ## Build the image of `preparation: {runner: processing}`; PREPARATION_IMAGE=name:tag
	@DOCKER_BUILDKIT=1 BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker build --platform linux/amd64 -t $(PREPARATION_IMAGE) --target preparation \
	  -f include/image_classification_algorithm/Dockerfile \
	  $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) $(if $(PIP_CONF),--secret id=pip$(comma)src=$(PIP_CONF)) $(DOCKER_BUILD) .
	@sed -e 's|<image>|$(PREPARATION_IMAGE)|g' -e 's|<repository>|$(firstword $(subst :, ,$(PREPARATION_IMAGE)))|g' include/image_preparation/push.txt

arm64-wheels: setup ## Fetch the function's wheels for arm64 on every runtime, which needs pip's index
	@for version in 3.11 3.12 3.13; do $(AIRFLOW) -m pip download --quiet --no-deps --require-hashes --only-binary=:all: \
	  --implementation=cp --platform=manylinux_2_28_aarch64 --platform=manylinux2014_aarch64 --python-version=$$version \
	  --dest=build/arm64-wheels -r lambda/requirements.txt || exit 1; done; ls build/arm64-wheels

IMAGE ?= image-classification:1
PREPARATION_IMAGE ?= image-classification-preparation:1
DEVICE ?= cpu
comma := ,
# SageMaker's machines are x86_64 and take no image index, which attestations would make of the image.
algorithm-image: ## Build the open algorithm's image for SageMaker; DEVICE=cuda, IMAGE=name:tag, PIP_CONF=a pip.conf
	@DOCKER_BUILDKIT=1 BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker build --platform linux/amd64 -t $(IMAGE) \
	  -f include/image_classification_algorithm/Dockerfile --build-arg DEVICE=$(DEVICE) \
	  $(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) $(if $(PIP_CONF),--secret id=pip$(comma)src=$(PIP_CONF)) $(DOCKER_BUILD) .
	@sed -e 's|<image>|$(IMAGE)|g' -e 's|<repository>|$(firstword $(subst :, ,$(IMAGE)))|g' include/image_classification_algorithm/push.txt
