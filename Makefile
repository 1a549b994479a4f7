# Makefile -- the two commands, and the few others you will want. CMake does
# the work (CMakePresets.json has the settings); this page says it in one word.

.PHONY: help programs compare test soak stage1 stage2 stage3 stage4 stage5 format tidy check clean

export CMAKE_GENERATOR ?= Ninja

RELEASE  = build/release
WORDNET  = build/wordnet.tsv

help:
	@echo 'make programs  all programs, in a minute or two: build/release/bin'
	@echo 'make compare    build, run every engine on real data, draw report/index.html'
	@echo 'make test       build with sanitizers, run every test suite'
	@echo 'make stage1     the test suite of stage 1 alone; stage2 to stage5 likewise'
	@echo 'make check      the checks of the house alone: a few seconds'
	@echo 'make soak       the long test, and its goals; SOAK_MINUTES=60'
	@echo 'make format     let clang-format put every file right'
	@echo 'make tidy       clang-tidy on every file'
	@echo 'make clean      remove build/ and report/'

compare: $(WORDNET)
	$(RELEASE)/bin/compare run --profile ci --data $(WORDNET) --out report
	$(RELEASE)/bin/compare claims --profile smoke --out report

$(WORDNET): release
	sh compare/data/make.sh wordnet $@

.PHONY: release
release:
	sh setup.sh build compare
	cmake --preset release -DKV_BUILD_TESTS=OFF --log-level=NOTICE
	cmake --build --preset release

programs:
	sh setup.sh build
	cmake --preset release -DKV_BUILD_TESTS=OFF --log-level=NOTICE
	cmake --build --preset release
	@echo 'The programs are in build/release/bin. To have them by name, type'
	@echo '    export PATH=$$PWD/build/release/bin:$$PATH'
	@echo 'and then, for example,'
	@echo '    stage2_log pets put cat meow && stage2_log pets explain get cat'

test:
	sh setup.sh
	sh tests/all.sh

soak:
	sh setup.sh
	sh tests/soak/soak.sh

stage1 stage2 stage3 stage4 stage5: dev
	ctest --preset $@

check: dev
	ctest --preset dev -L '^meta$$'

.PHONY: dev
dev:
	sh setup.sh build test
	cmake --preset dev --log-level=NOTICE
	cmake --build --preset dev

format:
	sh tests/meta/format.sh --fix

tidy:
	sh setup.sh build test
	cmake --preset tidy --log-level=NOTICE
	cmake --build --preset tidy

clean:
	rm -rf build report
