.DEFAULT_GOAL := help
include packaging/tools.mk

BIN := .venv/bin
# Empty is off: where it is on, each process compiles all its libraries again.
export PYTHONDONTWRITEBYTECODE :=
# What the tests of a file share is made once. Files run in their order: the deployed stacks' come
# first, which wait for much, while browsers and linters take their share.
BY_FILE := --dist loadfile --no-loadscope-reorder

# By another name: make would run a recipe that names itself even under --dry-run.
AGAIN := $(MAKE) --no-print-directory
.PHONY: help prolong verifier run test check check-python check-scripts check-prose format alarms gateway translations lint-template audit sbom build screenshots recording bench bench-cold bench-warm bench-calls bench-loop bench-delivery bench-delivery-stack bench-site bench-oracle bench-flood bench-import bench-register bench-first-morning bench-growth rehearse terminal fuzz mutants clean driver chromium firefox webkit valgrind

# The checkers of pages, scripts and style sheets (html-validate, pa11y, Lighthouse, Biome,
# TypeScript), by the Node.js that uv.lock pins.
NODE_PROJECT := tools/node
NODE_SYNCED := $(NODE_PROJECT)/node_modules/.synced
NODE_BIN := PATH="$(CURDIR)/$(BIN):$$PATH" $(NODE_PROJECT)/node_modules/.bin

# Where the functions are, for programs that run them outside of Lambda.
WITH_FUNCTIONS := PYTHONPATH=functions:layers/shared:ops

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 24

run: $(SYNCED) ## The whole service on http://127.0.0.1:8080 until Ctrl-C (PORT=…, ELECTION=elections/…, ROLL=…)
	@$(BIN)/python -m local.run

check: check-python check-scripts check-prose ## Lint, formatting, types, circles of imports, prose and spelling, in seconds

check-python: $(SYNCED)
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/python tools/circles.py

check-scripts: $(SYNCED) $(NODE_SYNCED)
	@$(NODE_BIN)/biome check --error-on-warnings --log-level=warn
	@$(NODE_BIN)/tsc --project site
	@$(NODE_BIN)/tsc --project helpdesk
	@$(NODE_BIN)/tsc --project bureau

# What a measurement or a test writes is left out, and what is French as a whole: cspell reads that.
PROSE := git ls-files '*.md' ':!bench' ':!docs/fr' ':!docs/gallery.md'
check-prose: $(SYNCED) $(NODE_SYNCED)
	@$(BIN)/python tools/prose_width.py
	@$(BIN)/python tools/prose_style.py
	@$(PROSE) | xargs $(BIN)/proselint check --config tools/proselint.json
	@git ls-files -z | xargs -0 $(BIN)/codespell
	@$(NODE_BIN)/markdownlint-cli2 >.build/markdownlint.log 2>&1 || { cat .build/markdownlint.log; exit 1; }
	@$(NODE_BIN)/cspell lint --no-progress --no-summary --config $(NODE_PROJECT)/cspell.json

format: $(SYNCED) $(NODE_SYNCED) ## Write Python, scripts and style sheets as `make check` wants them
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet
	@$(NODE_BIN)/biome check --write --log-level=warn

# While packages are fetched, Python compiles libraries and tests once for all workers, and types
# are checked.
test: $(SYNCED) ## Everything: check, then every rung of the tests, the local stack and the browsers included
	@start=$$(date +%s); export TEST_RUN=$$start; status=0; rm -rf .build/tests; mkdir -p .build/tests; \
	$(AGAIN) $(NODE_SYNCED) & node=$$!; \
	test -d tests/__pycache__ || \
	  $(BIN)/pytest --collect-only --quiet tests >.build/tests/collected.log 2>&1 & bytecode=$$!; \
	nice -n 19 $(AGAIN) check-python >.build/tests/python.log 2>&1 & python=$$!; \
	$(AGAIN) chromium valgrind || exit 1; wait $$node || exit 1; wait $$bytecode; \
	{ $(AGAIN) firefox webkit && \
	  $(BIN)/pytest --junit-xml=.build/tests/browsers.xml tests/browser; \
	} >.build/tests/browsers.log 2>&1 & browsers=$$!; \
	nice -n 19 $(AGAIN) --keep-going check-scripts check-prose lint-template >.build/tests/lint.log 2>&1 & lint=$$!; \
	$(BIN)/pytest -n 3 $(BY_FILE) --junit-xml=.build/tests/workers.xml --ignore=tests/browser tests || status=1; \
	for part in browsers python lint; do \
	  eval wait \$$$$part || status=1; cat .build/tests/$$part.log; done; \
	$(BIN)/python -m tests.requirements S A; \
	$(BIN)/python .ci/total.py $$(($$(date +%s) - start)) .build/tests || status=1; \
	exit $$status

alarms: $(SYNCED) ## Write observability.yaml, alarms and dashboard, after a change of an election file or of tools/alarms
	@$(BIN)/python -m alarms --write

gateway: $(SYNCED) ## Write openapi.gateway.json, what API Gateway imports, after a change of openapi.yaml
	@$(BIN)/python tools/gateway_document.py --write

translations: $(SYNCED) ## Bring the French of the reassort command up to date with its texts, and name what has none yet
	@$(WITH_FUNCTIONS):tools $(BIN)/python tools/translations.py

lint-template: $(SYNCED) ## SAM's own validation, cfn-lint and checkov on template.yaml and its nested stacks
	@SAM_CLI_TELEMETRY=0 $(BIN)/sam validate --lint --region eu-west-3
	@$(BIN)/cfn-lint
	@UV_PROJECT_ENVIRONMENT=.audit $(UV) sync --frozen --quiet --only-group audit --no-install-project
	@.audit/bin/checkov --config-file .checkov.yaml

audit: $(SYNCED) ## Known vulnerabilities of the locked packages; needs the network, and says so when it could not ask
	@$(BIN)/python tools/audit.py

sbom: $(SYNCED) ## What is deployed, as a CycloneDX document: .build/sbom.json
	@$(BIN)/python tools/sbom.py .build/sbom.json

build: $(SYNCED) ## Build the artefacts for a real account (arm64) into .aws-sam/build
	@SAM_CLI_TELEMETRY=0 $(BIN)/sam build --parallel

verifier: $(SYNCED) ## The page by which the election bureau verifies a register, offline: .build/bureau/verificateur.html
	@$(BIN)/python site/build_bureau.py .build/bureau/verificateur.html

prolong: $(SYNCED) ## Prolong a ballot in one act, recorded (ELECTION=elections/… STACK=… CONFIG_ENV=… REASON='…'): docs/runbook.md
	@PATH="$(CURDIR)/$(BIN):$$PATH" SAM_CLI_TELEMETRY=0 ELECTION='$(ELECTION)' STACK='$(STACK)' CONFIG_ENV='$(CONFIG_ENV)' REASON="$$REASON" tools/prolong.sh

screenshots: $(SYNCED) chromium ## The voter space in pictures: docs/gallery.md; the helpdesk's page: docs/helpdesk.md; a report, the minutes: docs/screenshots
	@$(WITH_FUNCTIONS) $(BIN)/python -m tests.site.gallery
	@$(WITH_FUNCTIONS) $(BIN)/python -m tests.helpdesk.gallery
	@$(WITH_FUNCTIONS) $(BIN)/python -m tests.report_picture
	@$(WITH_FUNCTIONS) $(BIN)/python -m tests.minutes_picture

recording: $(SYNCED) chromium ## The journey as it is played on a local stack: docs/screenshots/journey.gif
	@$(WITH_FUNCTIONS) $(BIN)/python -m tests.browser.recording

bench: $(SYNCED) valgrind chromium firefox webkit $(NODE_SYNCED) ## Everything that has a bar, one after the other, some 50 minutes (FLAGS='cold warm' for some): bench/results.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench $(FLAGS)

bench-cold: $(SYNCED) valgrind ## The start of each built function, technique by technique: bench/results.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.cold

bench-warm: $(SYNCED) valgrind ## A warm reissue beside its bare AWS calls and a usual handler: bench/results.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.warm

bench-calls: $(SYNCED) ## Round trips and request units of each step of the journey: bench/results.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.calls

bench-loop: $(SYNCED) chromium firefox webkit valgrind $(NODE_SYNCED) ## How long `make run` and `make test` take (FLAGS=--without-tests): bench/results.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.developer_loop $(FLAGS)

bench-delivery: $(SYNCED) ## Thousands of reissues a minute, in virtual time (FLAGS='--minutes 10'): bench/delivery.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.delivery_load $(FLAGS)

bench-delivery-stack: $(SYNCED) ## What the stack on this machine delivers to concurrent clients: bench/delivery.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.delivery_stack $(FLAGS)

bench-site: $(SYNCED) chromium $(NODE_SYNCED) ## What each page weighs and what Lighthouse says of it: bench/site.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.site_quality

bench-oracle: $(SYNCED) ## Does the time of an answer tell who is on the roll? 2,000 pairs: bench/oracle.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.oracle $(FLAGS)

bench-flood: $(SYNCED) ## Does a flood of requests for codes delay anybody else? 200,000 requests (an hour; FLAGS='--part 20'): bench/flood.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.flood $(FLAGS)

bench-register: $(SYNCED) ## Sort, sign and check a register of 1.2 million entries: bench/register.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.register $(FLAGS)

bench-import: $(SYNCED) ## A roll of 1.2 million checked and imported, against boto3's batch writer (some 20 minutes; FLAGS='--voters 100000'): bench/roll_import.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.roll_import $(FLAGS)

bench-first-morning: $(SYNCED) ## A model of 1.2 million voters' first morning: load, quotas, waits, cost: .build/first-morning (FLAGS=--keep: bench/first_morning.md)
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.first_morning $(FLAGS)

bench-growth: $(SYNCED) ## Sign-in and reissue with rolls of 1 k, 30 k and 1 M voters, and how keys spread: bench/growth.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.growth $(FLAGS)

terminal: $(SYNCED) ## The reassort command in a recorded terminal: docs/screenshots/terminal.svg
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.terminal

rehearse: $(SYNCED) ## Fictional voters on a local stack (ELECTION=elections/…, FLAGS='--voters 500 --minutes 2'): .build/rehearsal
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.rehearsal $(FLAGS)

fuzz: $(SYNCED) ## Generated requests to every operation, 10,000 each (FLAGS='--seed 7'): bench/fuzz.md
	@$(WITH_FUNCTIONS) $(BIN)/python -m bench.fuzz $(FLAGS)

mutants: $(SYNCED) ## Which slips in a rule does no test notice? All modules, some hours (FLAGS='functions/notify/claims.py'; --keep: bench/mutants.md)
	@$(BIN)/python -m mutants $(FLAGS)

clean: ## Remove what was built
	@rm -rf .aws-sam .audit .build .local .hypothesis .mypy_cache .pytest_cache .ruff_cache

# Puppeteer's own script would download a browser.
$(NODE_SYNCED): $(NODE_PROJECT)/package-lock.json $(SYNCED)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --prefix $(NODE_PROJECT) --ignore-scripts --no-audit --no-fund --loglevel=error >.build/npm.log 2>&1 \
		|| { echo "The checkers of pages and scripts could not be installed: connect to the network and try again (.build/npm.log)." >&2; exit 1; }
	@touch $@

# Debian's browsers come with all the libraries they need; elsewhere Playwright and Puppeteer bring
# their own. The list of packages is brought up to date only when it is of no use. Another program
# may be installing at that moment.
define from_debian
	grep -q '^ID=debian' /etc/os-release 2>/dev/null && { \
		as_root=$$(test "$$(id -u)" = 0 || command -v sudo || echo false); \
		install="$$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends -o DPkg::Lock::Timeout=600 $(1)"; \
		$$install || { $$as_root apt-get -qq update && $$install; }; }
endef

# Playwright's own Node.js needs a library that a bare Debian has not.
PLAYWRIGHT_NODE := .venv/lib/python3.13/site-packages/playwright/driver/node
driver: $(SYNCED)
	@$(PLAYWRIGHT_NODE) --version >.build/driver.log 2>&1 || { \
		{ $(call from_debian,libatomic1); } >>.build/driver.log 2>&1; \
		$(PLAYWRIGHT_NODE) --version >>.build/driver.log 2>&1 \
		|| { echo "Playwright does not start: a library is missing: 'apt-get install libatomic1' on Debian or Ubuntu, 'dnf install libatomic' on Fedora (.build/driver.log)." >&2; exit 1; }; }

chromium: $(SYNCED) driver
	@command -v chromium-headless-shell >/dev/null || test -e .build/chromium || { \
		{ $(call from_debian,chromium chromium-headless-shell); } >.build/chromium.log 2>&1 \
		|| command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
		|| $(BIN)/playwright install chromium >>.build/chromium.log 2>&1 \
		|| { echo "No Chromium for the browser tests: install one, or connect to the network (.build/chromium.log)." >&2; exit 1; }; \
		touch .build/chromium; }

# .build/firefox tells where Puppeteer's is.
firefox: $(NODE_SYNCED)
	@command -v firefox-esr >/dev/null || command -v firefox >/dev/null || test -s .build/firefox || { \
		{ $(call from_debian,firefox-esr); } >.build/firefox.log 2>&1 \
		|| $(NODE_BIN)/browsers install firefox@esr --path $(CURDIR)/.build/browsers --format '{{path}}' >.build/firefox 2>>.build/firefox.log \
		|| { echo "No Firefox for the browser tests: install one, or connect to the network (.build/firefox.log)." >&2; exit 1; }; }

# Safari's engine, with the screen that it needs.
webkit: $(SYNCED)
	@command -v WebKitWebDriver >/dev/null && command -v Xvfb >/dev/null || { \
		{ $(call from_debian,webkit2gtk-driver xvfb); } >.build/webkit.log 2>&1 \
		|| { echo "No WebKit for the browser tests: 'apt-get install webkit2gtk-driver xvfb' on Debian or Ubuntu, 'dnf install webkit2gtk4.1 xorg-x11-server-Xvfb' on Fedora (.build/webkit.log)." >&2; exit 1; }; }

# Counts instructions, which repeat where milliseconds do not.
valgrind: $(SYNCED)
	@command -v valgrind >/dev/null || { \
		{ $(call from_debian,valgrind); } >.build/valgrind.log 2>&1 \
		|| echo "valgrind is missing, functions and time are counted instead of instructions: 'apt-get install valgrind' on Debian or Ubuntu, 'dnf install valgrind' on Fedora (.build/valgrind.log)." >&2; }
