# popup: every target says what it does after ##; `make help` lists them.
export CGO_ENABLED ?= 0
GO    ?= go
TOOLS := $(GO) tool -modfile=tools/tools.mod
ARGS  ?=
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
STAMP := -X github.com/popup-shop/popup/internal/cli.release=$(VERSION)
OVERLAY ?= kind
ADDRESS ?= http://localhost:8080
HOST ?= serve-gateway.shop.shop.test

# The tests that use shoptest.InFull.
IN_FULL := CrossingOrders|NothingLeaks|FiveHundredVariants|SameUnit|SuggestionsCome|ReadIndexes

# Go files that people write, and not templ.
WRITTEN = $$(git ls-files -co --exclude-standard '*.go' ':!*_templ.go')

.DEFAULT_GOAL := help
.PHONY: help needs run start-fresh assets test test-slow test-browser screenshots docs-pictures lint fmt generate function outdated spec build bench check clean kind kind-down deploy undeploy kube-popup scenario test-cluster

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

needs: ## install what is missing: Postgres 15 with PostGIS, and Node, Prometheus and Chromium for tests, by apt
	@sh tools/needs.sh

build: ## build all programs into bin/
	$(GO) build -trimpath -ldflags='-s -w $(STAMP)' -o bin/ ./cmd/...

run: needs ## open the shop at http://127.0.0.1:8080 (ARGS="--processes" for one program per function)
	$(if $(findstring --processes,$(ARGS)),$(MAKE) build,$(GO) build -ldflags='$(STAMP)' -o bin/popup ./cmd/popup)
	bin/popup run $(ARGS)

start-fresh: ## open the shop anew: empty, migrated, seeded
	$(MAKE) run ARGS="--fresh $(ARGS)"

test: needs ## run every test, with real parts
	$(GO) vet ./...
	$(GO) test -timeout 18m ./...

test-slow: needs ## run the long faults: storms in full, kills, races, and what is smaller every day in its full size
	POPUP_SLOW=1 $(GO) test -p 1 -timeout 60m -v -run 'Storm|Kill|Crash|Race|PutOff|ByHand|NotPaidFor|ADelay|ACancelledOrder' ./internal/local/...
	POPUP_SLOW=1 $(GO) test -p 1 -timeout 60m -v -run AsProcesses ./cmd/popup
	POPUP_SLOW=1 $(GO) test -p 1 -parallel 1 -timeout 60m -v -run '$(IN_FULL)' ./functions/reserve-stock ./functions/release-stock ./functions/serve-catalogue ./functions/edit-catalogue

REDOCLY := @redocly/cli@2.77.0

test-browser: needs ## open every page in a real Chromium: accessibility, budgets, checkout (ARGS="-run Checkout")
	POPUP_BROWSER=1 $(GO) test -count=1 -timeout 30m ./tools/browser $(ARGS)

screenshots: needs ## write a picture of every page at both widths into bin/screenshots
	SCREENSHOTS=$(CURDIR)/bin/screenshots $(MAKE) test-browser ARGS="-run TestEveryPage"

PICTURED = home product checkout office-order
docs-pictures: needs ## write the pictures of docs/pages.md
	SCREENSHOTS=$(CURDIR)/bin/screenshots $(MAKE) test-browser ARGS="-run 'TestEveryPage_WEB_43/(home|product|checkout|office-order)$$'"
	$(GO) run ./tools/shrink docs/pages $(foreach p,$(PICTURED),bin/screenshots/$(p)-light-en-1440.png)

lint: ## gofumpt, go vet, staticcheck, and redocly where it can be had
	@test -z "$$($(TOOLS) gofumpt -l $(WRITTEN))" || { $(TOOLS) gofumpt -l $(WRITTEN); echo 'run make fmt'; exit 1; }
	$(GO) vet ./...
	$(TOOLS) staticcheck ./...
	@if npx --yes $(REDOCLY) --version >/dev/null 2>&1; then npx --yes $(REDOCLY) lint --extends recommended schemas/openapi.yaml; fi

fmt: ## format the code
	$(TOOLS) gofumpt -w $(WRITTEN)

generate: ## write schemas/, client/, events/all.go, the templates of pages and the flow table of README.md from code
	$(TOOLS) templ generate -path functions/serve-web -log-level error
	$(GO) run ./tools/eventlist
	$(GO) run ./tools/generate

function: ## write a new function (NAME=thank-customer ON=order.completed EMITS=customer.thanked)
	$(GO) run ./tools/newfunction -name "$(NAME)" -on "$(ON)" -emits "$(EMITS)"
	$(MAKE) fmt generate

assets: ## fetch the scripts of others that the pages and their tests use, by version, from npm
	sh tools/assets.sh

outdated: ## list the modules that are behind their newest release, and those whose releases the proxy does not list
	@$(GO) list -m -u -e -f '{{with .Update}}{{$$.Path}} {{$$.Version}}, newest {{.Version}}{{else}}{{if .Error}}{{.Path}} {{.Version}}, newest unknown{{end}}{{end}}' \
		$$(sed -n '/^require (/,/^)/p' go.mod | awk 'NF == 2 && $$1 != "require" {print $$1}')

spec: ## list the promises of docs/spec.md that no test bears the id of (ARGS=-all: those with one too)
	$(GO) run ./tools/spec $(ARGS)

bench: needs build ## measure, and write docs/performance.md
	bin/popup-bench order --write docs/performance.md $(ARGS)
	@for what in api catalogue hold web; do printf '\n' >> docs/performance.md; bin/popup-bench $$what >> docs/performance.md || exit 1; done
	@printf '\n## Cold start\n\n`popup-bench cold`: from the start of each program to its first answer, and to the answer to its first event or call, which takes SQL.\n\n' >> docs/performance.md
	bin/popup-bench cold >> docs/performance.md

check: ## prove the promises of the shop that runs here; each row must be 0
	$(GO) run ./cmd/popup check --rebuild

kind: ## make a cluster with Docker, kind and kubectl, and open the shop in it, with demo goods and one order as proof
	sh tools/cluster/kind-up.sh

kind-down: ## remove that cluster, and all that is in it
	kind delete cluster --name popup

deploy: ## deploy to the cluster that kubectl points to (OVERLAY=kind, bare or production)
	OVERLAY=$(OVERLAY) sh tools/cluster/deploy.sh

undeploy: ## remove the shop from that cluster, with all that it stored (OVERLAY=kind, bare or production)
	OVERLAY=$(OVERLAY) sh tools/cluster/undeploy.sh

kube-popup: ## run the command popup inside that cluster (ARGS="check --rebuild")
	@sh tools/cluster/popup.sh $(ARGS)

scenario: needs ## run one scenario in one process and as processes: both leave the same events
	$(GO) test -count=1 -v -run Scenario ./cmd/popup

test-cluster: ## run that scenario, with faults, on the cluster that kubectl points to (ADDRESS and HOST reach its gateway)
	SCENARIO_FULL=1 SCENARIO_ADDRESS=$(ADDRESS) SCENARIO_HOST=$(HOST) SCENARIO_POPUP="sh ../../tools/cluster/popup.sh" \
		SCENARIO_FAULT="sh ../../tools/cluster/fault.sh" \
		$(GO) test -count=1 -v -timeout 30m -run Scenario ./cmd/popup

clean: ## remove what was built, and the shop of this folder
	rm -rf bin .popup
