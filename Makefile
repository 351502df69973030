# Diorama: `make serve` opens the page, `make test` checks everything. Both install what is missing.
# The recipes live in scripts/; `make help` lists the targets.

.DEFAULT_GOAL := help
.PHONY: help setup serve dist test bench screenshots

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the pinned tools that are missing
	@scripts/setup.sh test

serve: ## build the page and serve it, rebuilding on change (PORT=8080)
	@scripts/setup.sh build
	@scripts/serve.sh

dist: ## build the page as it is published, into dist/
	@scripts/setup.sh build
	@scripts/dist.sh

test: ## format, lints, native tests, browser tests, end-to-end tests
	@scripts/setup.sh test
	@scripts/test.sh

bench: ## run the benchmarks, natively and in Chromium
	@scripts/setup.sh test
	@scripts/bench.sh

screenshots: ## pictures of dist/ in both languages and colour schemes, into target/screenshots/
	@scripts/setup.sh test
	@test -e dist/index.html || scripts/dist.sh
	@npm run --silent screenshots
