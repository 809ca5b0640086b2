# The environment that builds and runs everything: uv (bootstrapped when absent) and .venv, synced
# from uv.lock.

ROOT := $(patsubst %/,%,$(dir $(abspath $(dir $(lastword $(MAKEFILE_LIST))))))
UV := $(or $(shell command -v uv 2>/dev/null),$(ROOT)/.build/tools/bin/uv)
PYTHON := $(ROOT)/.venv/bin/python
SYNCED := $(ROOT)/.venv/.synced
export UV

# `pip install --target` needs neither the venv module, which Debian packages apart, nor root.
$(ROOT)/.build/tools/bin/uv:
	@mkdir -p $(ROOT)/.build
	@python3 -m pip install --quiet --target $(ROOT)/.build/tools uv >$(ROOT)/.build/tools.log 2>&1 \
		|| { echo "uv could not be installed: connect to the network and check that 'python3 -m pip' works (.build/tools.log), or install uv (https://docs.astral.sh/uv/)." >&2; exit 1; }

$(SYNCED): $(ROOT)/uv.lock $(ROOT)/pyproject.toml $(ROOT)/.python-version | $(UV)
	@cd $(ROOT) && mkdir -p .build && $(UV) sync --frozen --quiet 2>.build/sync.log \
		|| { echo "The locked packages could not be installed: $$(grep -v '^ *$$' .build/sync.log | head -1). If there is no network, connect and try again (.build/sync.log)." >&2; exit 1; }
	@touch $@
