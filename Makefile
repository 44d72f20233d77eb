# Shortcuts around the CMake presets. Every real target first installs what is missing (instant when nothing is).
.DEFAULT_GOAL := help
.PHONY: help demo study test build bench format lint

SOURCES = $(shell find src tests bench tools -name '*.h' -o -name '*.cpp')

help:   ## list the targets
	@echo "agro: fine-tunes language models with AGRO (any-generation reward optimization)"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 16

demo: build  ## a complete training run on a small model, start to finish
	@scripts/demo.sh

study: build  ## objectives against data, tuned alike, with figures: hours, resumable (docs/results/study.md)
	@scripts/study.sh

test: build  ## build, then run every test
	@scripts/install-deps.sh browser 2>/dev/null || echo "Chromium cannot be installed: the tests of the report page in a browser are skipped"
	@[ -d ../shared ] || echo "SKIPPED: no folder 'shared' beside the clone: tests on published tokenizers, models and data"
	@ctest --preset release

build:  ## the agro program, in build/release/bin
	@scripts/install-deps.sh build
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release

bench:  ## speed beside plain LibTorch: whole steps, then single operators
	@scripts/install-deps.sh build bench
	@cmake --preset release --log-level=WARNING -DAGRO_BUILD_BENCH=ON
	@cmake --build --preset release --target agro agro_bench
	@build/release/bin/agro bench
	@build/release/bin/agro_bench

format:  ## lay out the sources with clang-format
	@scripts/install-deps.sh lint
	@clang-format -i $(SOURCES)

lint:   ## check layout with clang-format and code with clang-tidy
	@scripts/install-deps.sh build lint
	@clang-format --dry-run -Werror $(SOURCES)
	@cmake --preset tidy --log-level=WARNING
	@cmake --build --preset tidy
