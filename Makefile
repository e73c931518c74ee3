SHELL := /bin/bash
SWIFT ?= swift
DEBUG_BUILD := .build
RELEASE_BUILD := .build-release
DEBUG_BINARY := $(DEBUG_BUILD)/debug/rastro
RELEASE_BINARY := $(RELEASE_BUILD)/release/rastro
SOURCES := Sources Tests Package.swift
CHECK_IMPORTS := --explicit-target-dependency-import-check error
ARGS ?=

# Installs what a recipe has put into the array `missing`.
INSTALL_MISSING = if [ "$${\#missing[@]}" -gt 0 ]; then \
		echo "installing: $${missing[*]}"; \
		as_root=(); [ "$$(id -u)" -eq 0 ] || as_root=(sudo); \
		"$${as_root[@]}" apt-get update -q && \
		"$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$${missing[@]}"; \
	fi

.DEFAULT_GOAL := help
.PHONY: help deps test-deps build release run test lint format demo bench bench-deps clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

deps: ## install the system packages that are missing (Debian and Ubuntu)
	@missing=(); \
	pkg-config --version > /dev/null 2>&1 || missing+=(pkg-config); \
	{ [ "$${#missing[@]}" -eq 0 ] && pkg-config --exists libpq; } || missing+=(libpq-dev); \
	{ compgen -G '/usr/lib/postgresql/*/bin/initdb' || compgen -G '/usr/pgsql-*/bin/initdb' || \
		command -v initdb; } > /dev/null || missing+=(postgresql); \
	command -v setpriv > /dev/null || missing+=(util-linux); \
	command -v python3 > /dev/null || missing+=(python3); \
	command -v curl > /dev/null || missing+=(curl); \
	$(INSTALL_MISSING)
	@command -v $(SWIFT) > /dev/null || { echo "Swift 6.2 or newer is needed: https://www.swift.org/install"; exit 1; }

build: deps ## build for debugging
	$(SWIFT) build --scratch-path $(DEBUG_BUILD) $(CHECK_IMPORTS)

release: deps ## build for use
	$(SWIFT) build -c release --product rastro --scratch-path $(RELEASE_BUILD) $(CHECK_IMPORTS)

run: release ## build and start a server on 127.0.0.1:8080 (ARGS="--port 9090" adds options)
	exec $(RELEASE_BINARY) serve $(ARGS)

# Real servers and clients that tests talk to.
test-deps: deps
	@missing=(); \
	command -v openssl > /dev/null || missing+=(openssl); \
	PATH="$$PATH:/usr/sbin" command -v nats-server > /dev/null || missing+=(nats-server); \
	python3 -c 'import venv, ensurepip' 2> /dev/null || missing+=(python3-venv); \
	$(INSTALL_MISSING)

test: test-deps lint ## check the style and run all tests, a short crash run and real SQS clients included
	$(SWIFT) test --scratch-path $(DEBUG_BUILD) $(CHECK_IMPORTS) --no-parallel
	@if [ -d Tests/crash ]; then \
		echo python3 Tests/crash/run.py --short --binary $(DEBUG_BINARY); \
		python3 Tests/crash/run.py --short --binary $(DEBUG_BINARY); \
	fi
	Tests/queue/run --binary $(DEBUG_BINARY)

lint:
	$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)

format: ## format all Swift sources in place
	$(SWIFT) format --in-place --recursive --parallel $(SOURCES)

demo: release ## import this machine's Debian package index and tell the story of one product
	Tests/demo/run --binary $(RELEASE_BINARY) $(ARGS)

bench-deps: deps
	@missing=(); \
	command -v wrk > /dev/null || missing+=(wrk); \
	{ compgen -G '/usr/lib/postgresql/*/bin/pgbench' || compgen -G '/usr/pgsql-*/bin/pgbench' || \
		command -v pgbench; } > /dev/null || missing+=(postgresql-contrib); \
	$(INSTALL_MISSING)

bench: release bench-deps ## measure speed beside what it is compared with (ARGS="--memory-minutes 5" adds memory)
	$(RELEASE_BINARY) bench $(ARGS)

clean: ## remove what the builds made (never data)
	rm -rf $(DEBUG_BUILD) $(RELEASE_BUILD)
