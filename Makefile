# Understudy: make help lists the targets.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export CGO_ENABLED ?= 0

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
DATE    ?= $(shell git log -1 --format=%cI 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)
MODULES := . integration
TOOLS   := $(CURDIR)/bin/tools

BUF_VERSION           := v1.75.0
PROTOC_GEN_GO_VERSION := v1.36.12
GOLANGCI_VERSION      := v2.15.0
ACTIONLINT_VERSION    := v1.7.12

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/understudy (CGO off; with the tag static it needs no C library)
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/understudy ./cmd/understudy

.PHONY: demo
demo: build ## Run the main job end to end on two small systems (embedded Kafka and ClickHouse)
	bin/understudy demo

.PHONY: test
test: build ## Run the whole suite: Go tests, real Kafka, real ClickHouse engine, black box
	./integration/run-tests

.PHONY: check
check: fmt-check vet lint lint-workflows generate-check ## Format, vet, lint, generated code, module files, clean tree
	./integration/check-clean-tree

.PHONY: fmt-check
fmt-check:
	@out=$$(gofmt -l $$(git ls-files '*.go' ':!*.pb.go')); \
	if [ -n "$$out" ]; then echo "gofmt would change (run gofmt -w):"; echo "$$out"; exit 1; fi

# Each module is vetted outside the workspace, so that its go.mod and go.sum
# must be complete.
.PHONY: vet
vet:
	@for m in $(MODULES); do echo "vet $$m"; (cd $$m && GOWORK=off go vet ./...); done

.PHONY: lint
lint: $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
	@for m in $(MODULES); do echo "lint $$m"; (cd $$m && $< run --config $(CURDIR)/.golangci.yml ./...); done

.PHONY: lint-workflows
lint-workflows: $(TOOLS)/actionlint-$(ACTIONLINT_VERSION)
	$< -shellcheck= -pyflakes=

.PHONY: generate
generate: $(TOOLS)/buf-$(BUF_VERSION) $(TOOLS)/protoc-gen-go-$(PROTOC_GEN_GO_VERSION) ## Generate code from the protobuf schemas, and the reference of the configuration
	ln -sf protoc-gen-go-$(PROTOC_GEN_GO_VERSION) $(TOOLS)/protoc-gen-go
	cd schemas && PATH=$(TOOLS):$$PATH $< generate
	go test ./cmd/understudy -run TestReferenceIsCurrent -update

.PHONY: generate-check
generate-check: generate
	cd schemas && $(TOOLS)/buf-$(BUF_VERSION) lint && $(TOOLS)/buf-$(BUF_VERSION) format -d --exit-code
	cd schemas && if git rev-parse -q --verify origin/main >/dev/null && git cat-file -e origin/main:schemas/buf.yaml 2>/dev/null; then \
	  $(TOOLS)/buf-$(BUF_VERSION) breaking --against '../.git#ref=refs/remotes/origin/main,subdir=schemas'; fi
	@if ! git diff --exit-code --stat -- schemas cmd/understudy/meanings.json docs/configuration.md; then echo "generated files are not what schemas and code give: commit the result of make generate"; exit 1; fi

.PHONY: bench
bench: build ## Measure the hot paths, each beside its peer in the same run
	./integration/bench/run

.PHONY: rates
rates: build ## Hold 1,000, 5,000 and 10,000 requests a second, and replay the access log of UNDERSTUDY_DATA at four speeds
	./integration/bench/run -length 20s rates

.PHONY: fuzz
fuzz: ## Fuzz every fuzz target for FUZZTIME each (default 20s)
	./integration/run-fuzz $${FUZZTIME:-20s}

.PHONY: soak
soak: ## Send 500,000 requests of a hostile mix through recorder and proxy, and 50,000 POSTs through the net/http engine
	UNDERSTUDY_SOAK=50000 UNDERSTUDY_HOSTILE=$${REQUESTS:-500000} go test -count=1 -timeout 120m -v -run '^Test(UnreadBodiesDoNotEndTheProcess|HostileMix)$$' ./integration/soak

.PHONY: bench-tables
bench-tables: ## Ask the tables what a report asks, of 50 million comparisons (REPLAYS): seconds and MB read
	UNDERSTUDY_TABLES=$${REPLAYS:-50000000} go test -count=1 -timeout 60m -run '^$$' -bench '^BenchmarkTables$$' -benchtime 5x -v ./integration/clickhouse

.PHONY: bench-compare
bench-compare: ## Compare 100,000 replays (REPLAYS) of 10 KiB, and bodies that are harder: memory, replays per second of CPU
	UNDERSTUDY_COMPARE=$${REPLAYS:-100000} go test -count=1 -timeout 60m -v -run '^TestCompareStaysSmall$$' ./integration/volume

.PHONY: judge-again
judge-again: ## Judge a run of 200,000 replays (REPLAYS) under other rules, compare the judgements, and lead rows back to records
	UNDERSTUDY_JUDGED=$${REPLAYS:-200000} go test -count=1 -timeout 60m -v -run '^TestJudgeAgain$$' ./integration/volume

.PHONY: kills
kills: ## Kill comparators KILLS times (default 50) with ClickHouse away for 40 s in each round, and compare every table
	UNDERSTUDY_KILLS=$${KILLS:-50} UNDERSTUDY_AWAY=40s go test -count=1 -timeout 60m -v -run '^TestKill9OfCompare' ./integration/kill

.PHONY: worker-kills
worker-kills: ## Kill one of three workers of a run KILLS times (default 20) at random moments, and ask for the balance
	UNDERSTUDY_KILLS=$${KILLS:-20} go test -count=1 -timeout 60m -v -run '^TestKill9OfWorkers' ./integration/kill

.PHONY: controller-kills
controller-kills: ## Kill the controller that acts at each step of a migration, KILLS times (default 20)
	UNDERSTUDY_KILLS=$${KILLS:-20} go test -count=1 -timeout 60m -v -run '^TestThePlanMovesUsers$$' ./integration/migration

.PHONY: worker-restarts
worker-restarts: ## Restart Kafka RESTARTS times (default 5) under a run of three workers, and ask for the balance
	UNDERSTUDY_RESTARTS=$${RESTARTS:-5} go test -count=1 -timeout 60m -v -run '^TestKafkaRestarts' ./integration/kill

.PHONY: outages
outages: ## Take Kafka from a recorder ROUNDS times (default 10) at RATE requests a second (default 1000), and ask for the balance
	UNDERSTUDY_OUTAGES=$${ROUNDS:-10} UNDERSTUDY_RATE=$${RATE:-1000} go test -count=1 -timeout 60m -v -run '^TestKafka' ./integration/recording

.PHONY: record-kills
record-kills: ## Kill recorders KILLS times (default 50) at random moments, and ask for the balance
	UNDERSTUDY_KILLS=$${KILLS:-50} go test -count=1 -timeout 60m -v -run '^TestKill9OfTheRecorder$$' ./integration/recording

.PHONY: accuracy-control
accuracy-control: ## The same with a control sample and volatile places
	UNDERSTUDY_CONTROL=$${PAIRS:-100000} go test -count=1 -timeout 60m -v -run '^TestControl$$' ./integration/accuracy -update

.PHONY: accuracy
accuracy: ## Measure verdicts on 100,000 pairs whose truth is known, and write docs/accuracy.md
	UNDERSTUDY_ACCURACY=$${PAIRS:-100000} go test -count=1 -timeout 60m -v -run '^TestAccuracy$$' ./integration/accuracy -update

.PHONY: man
man: build ## Write the manual pages to dist/man
	bin/understudy man dist/man

.PHONY: clean
clean: ## Remove what builds and tests left in this folder
	rm -rf bin dist integration/acceptance/.venv

# Tools are installed at the pinned version under bin/tools, once.
$(TOOLS)/buf-$(BUF_VERSION):
	$(call install,github.com/bufbuild/buf/cmd/buf@$(BUF_VERSION),buf,$@)
$(TOOLS)/protoc-gen-go-$(PROTOC_GEN_GO_VERSION):
	$(call install,google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO_VERSION),protoc-gen-go,$@)
$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION):
	$(call install,github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION),golangci-lint,$@)
$(TOOLS)/actionlint-$(ACTIONLINT_VERSION):
	$(call install,github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION),actionlint,$@)

define install
	@mkdir -p $(TOOLS); echo "install $(1)"; \
	tmp=$$(mktemp -d); GOWORK=off GOBIN=$$tmp go install $(1) && mv $$tmp/$(2) $(3) && rmdir $$tmp
endef
