# The verbs of this repository. `make` alone lists them. `verify` changes nothing; `fix` and `proto` do.

SHELL      := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
GO         ?= go
PACKAGES   ?= ./...
BIN        := $(CURDIR)/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the verbs, and what they can be told
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 } /^## / { print "                    " substr($$0, 4) }' $(MAKEFILE_LIST)

.PHONY: build
build: ## compile every package, and put the programs into bin
	$(GO) build ./...
	$(if $(wildcard cmd/*/*.go),$(GO) build -o $(BIN)/ ./cmd/...)

.PHONY: test
test: ## run every test
	$(GO) test $(PACKAGES)

.PHONY: race
race: ## run every test under the race detector
	$(GO) test -race $(PACKAGES)

RUNS ?= 3
DIR  ?= $(BIN)

# All workloads take eight to ten minutes. What they write is in DIR, which must be on the disk that is meant.
.PHONY: bench
bench: ## measure the program, in real processes on a real disk, beside what plain Go does at most (docs/performance.md)
## RUNS=3 is how often each; WORKLOAD=W2-256,W3 tries these only; PROFILE=dir collects CPU profiles of the members; DIR=dir has the disk
	@mkdir -p $(BIN)
	$(GO) build -o $(BIN)/quorumlog ./cmd/quorumlog
	$(GO) run ./tests/benchmark -program $(BIN)/quorumlog -runs $(RUNS) -dir '$(DIR)' -workload '$(WORKLOAD)' -profile '$(PROFILE)'

.PHONY: growth
growth: ## measure how recovery and restart grow with the log, and draw docs/growth.svg: on a machine that does nothing else
	@mkdir -p $(BIN)
	$(GO) build -o $(BIN)/quorumlog ./cmd/quorumlog
	$(GO) run ./tests/benchmark -program $(BIN)/quorumlog -runs $(RUNS) -dir '$(DIR)' -growth docs/growth.svg

.PHONY: microbench
microbench: ## run the benchmarks of the packages, and no test
	$(GO) test -run '^$$' -bench . -benchmem $(PACKAGES)

SEED   ?=
ROUNDS ?= 20

# Each round has ten kills or more, two lost disks or more, a partition, and a disk that is copied or rolled back; ROUNDS=20
# takes about four minutes.
.PHONY: chaos
chaos: ## break real processes, disks and networks under a load: SEED=... asks for the same again, ROUNDS=... or DURATION=10m
	QUORUMLOG_CHAOS_SEED=$(SEED) QUORUMLOG_CHAOS_ROUNDS=$(ROUNDS) QUORUMLOG_CHAOS_TIME=$(DURATION) \
	$(GO) test -count=1 -timeout=0 -v -run 'TestAcknowledgedEntriesSurviveEverythingTogether' ./tests/process

# It ends at the first fault, and keeps the members' directories then. DIR must be on a disk with some gigabytes.
.PHONY: soak
soak: ## flood real processes with ten times what they take, break them all the while, and measure what they need
## DURATION=30m; SEED=... asks for the same again; DIR=dir has the disk; it tells a line every minute, and one of JSON in the end
	@mkdir -p '$(DIR)'
	QUORUMLOG_SOAK_SEED=$(SEED) QUORUMLOG_SOAK_TIME=$(or $(DURATION),30m) QUORUMLOG_SOAK_DIR='$(abspath $(DIR))' \
	$(GO) test -count=1 -timeout=0 -v -run 'TestAFloodedClusterKeepsItsWordAndItsBoundsWhateverIsDoneToIt' ./tests/process

RULES := ./log/paxos,./log/status,./log/identity,./log/ledger,./log/journal,./actors/replica,./actors/recovery,./actors/catchup,./actors/coordinator,./actors/leader,./actors/round,./actors/network,./actors/member,./actors/persistence

.PHONY: sim
sim: ## simulate faults; a seed that fails fails again
## SEEDS=1000 runs so many, and FROM=1 is the first of them; DURATION=10m: as many as it has time for
## SEED=7 tells the whole story of one run, and with STEPS=1 every step of it
## STORY='lost votes': all runs are about that, or about 'churn', 'turns', 'relapses', 'late copies', 'crowds', 'actors', 'moves', 'lost quorum', 'anything'
## COVER=1 tells which branches of the rules were reached, and fails where one was not; it takes 5,000 seeds or so
	@mkdir -p $(BIN)
	$(GO) test ./tests/simulation -count=1 -v -timeout=0 -story='$(STORY)' $(if $(SEED),-run='TestSeed$$' -seed=$(SEED) $(if $(STEPS),-steps),\
	-run='TestSeeds$$' -from=$(or $(FROM),1) -during=$(or $(DURATION),0) -seeds=$(or $(SEEDS),$(if $(DURATION),0,1000)) \
	$(if $(COVER),-covermode=set -coverpkg=$(RULES) -coverprofile=$(BIN)/sim.cover)) | grep --line-buffered -v '^=== RUN\|--- PASS: TestSeeds/'
	$(if $(COVER),$(GO) run ./tests/simulation/coverage -profile $(BIN)/sim.cover)

.PHONY: mutants
mutants: ## put known bugs into the code, one at a time; fails if nobody notices one
## MUTANT=M8,M10 tries these only, by their names in tests/mutants/README.md; SEEDS=2000 is how many seeds of sim each gets
	$(GO) test ./tests/mutants -count=1 -v -timeout=0 -run='TestEveryMutantIsCaught$$' -score -mutant='$(MUTANT)' -seeds=$(or $(SEEDS),2000) \
	| grep --line-buffered -v '^=== \|--- PASS'

.PHONY: exhaustive
exhaustive: ## play the rules of the log in small worlds in every order there is: 15 minutes of one core, and 6 GB
	$(GO) test ./tests/exhaustive -count=1 -v -timeout=0 -full | grep --line-buffered -v '^=== '

FUZZTIME ?= 10m

.PHONY: fuzz
fuzz: ## feed every decoder, a member, the disk's files and the network's packets with hostile input: FUZZTIME=10m each
	$(GO) test -run='^$$' -fuzz='^FuzzDecode$$' -fuzztime=$(FUZZTIME) ./log/codec
	$(GO) test -run='^$$' -fuzz='^FuzzDecodeJournalEntry$$' -fuzztime=$(FUZZTIME) ./log/codec
	$(GO) test -run='^$$' -fuzz='^FuzzDisk$$' -fuzztime=$(FUZZTIME) ./log/storage/disk
	$(GO) test -run='^$$' -fuzz='^FuzzPacket$$' -fuzztime=$(FUZZTIME) ./cluster
	$(GO) test -run='^$$' -fuzz='^FuzzWeight$$' -fuzztime=$(FUZZTIME) ./cluster
	$(GO) test -run='^$$' -fuzz='^FuzzMember$$' -fuzztime=$(FUZZTIME) ./tests/hostile

.PHONY: storage
storage: ## crash and fail the disk at every operation, and damage every file: SEED=..., ROUNDS=... as often
	QUORUMLOG_STORAGE_SEED=$(SEED) QUORUMLOG_STORAGE_ROUNDS=$(ROUNDS) \
	$(GO) test -count=1 -timeout 0 -v -run 'AtEveryChange|NoFailureOf|NoRotIsSilent' ./log/storage/disk

.PHONY: verify
verify: format vet tidy lint schema ## check everything that is not a test, and change nothing

.PHONY: format
format: ## check that gofmt has nothing to say
	@unformatted=$$(gofmt -l -s .); \
	if [[ -n $$unformatted ]]; then printf 'not formatted (make fix):\n%s\n' "$$unformatted"; exit 1; fi

.PHONY: vet
vet: ## run go vet
	$(GO) vet ./...

.PHONY: tidy
tidy: ## check the shape of the code: rooms, sizes, words
	$(GO) test -count=1 ./tests/tidy

.PHONY: lint
lint: $(BIN)/golangci-lint ## run the linters of .golangci.yml
	$(BIN)/golangci-lint run ./...

.PHONY: schema
schema: $(BIN)/buf ## check the schema, and that its generated code is current
	cd messages && $(BIN)/buf lint && $(BIN)/buf format --diff --exit-code
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	(cd messages && $(BIN)/buf generate --template buf.gen.yaml --output "$$fresh"); \
	diff -u -I '^//[[:space:]]*protoc' messages/log.pb.go "$$fresh/log.pb.go" || \
	{ echo 'messages/log.pb.go is not what messages/log.proto says (make proto)'; exit 1; }; \
	(cd tests/examples/bank && $(BIN)/buf generate --template ../../../messages/buf.gen.yaml --output "$$fresh"); \
	diff -u -I '^//[[:space:]]*protoc' tests/examples/bank/bank.pb.go "$$fresh/bank.pb.go" || \
	{ echo 'tests/examples/bank/bank.pb.go is not what bank.proto says (make proto)'; exit 1; }

.PHONY: vuln
vuln: $(BIN)/govulncheck ## look for known vulnerabilities in what is linked in (asks vuln.go.dev)
	$(BIN)/govulncheck ./...

.PHONY: fix
fix: $(BIN)/golangci-lint $(BIN)/buf ## format the code and the schema, and do what the linters can do themselves
	gofmt -s -w .
	cd messages && $(BIN)/buf format --write
	$(BIN)/golangci-lint run --fix ./...

.PHONY: proto
proto: $(BIN)/buf ## write messages/log.pb.go again, from messages/log.proto, and what the examples have of their own
	cd messages && $(BIN)/buf generate
	cd tests/examples/bank && $(BIN)/buf generate --template ../../../messages/buf.gen.yaml

.PHONY: clean
clean: ## drop what was built
	rm -rf $(BIN)

# The tools are pinned in a module of their own. The first build of one takes a minute or two.
TOOLS := tests/tools/go.mod tests/tools/go.sum

$(BIN)/buf: $(TOOLS)
	$(GO) -C tests/tools build -o $@ github.com/bufbuild/buf/cmd/buf

$(BIN)/golangci-lint: $(TOOLS)
	$(GO) -C tests/tools build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(BIN)/govulncheck: $(TOOLS)
	$(GO) -C tests/tools build -o $@ golang.org/x/vuln/cmd/govulncheck
