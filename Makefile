# `make` or `make help` lists what there is to do.

CARGO ?= cargo
TARGET := $(CURDIR)/target

# Mesa's software driver compiles shaders to machine code; kept, later runs start sooner.
ifeq ($(origin MESA_SHADER_CACHE_DIR),undefined)
export MESA_SHADER_CACHE_DIR := $(TARGET)/shader-cache
endif

# Mesa complains where this is unset, as it is in containers.
ifeq ($(origin XDG_RUNTIME_DIR),undefined)
export XDG_RUNTIME_DIR := $(TARGET)/runtime
endif

.DEFAULT_GOAL := help
.PHONY: help demo results python wheel wheel-tools strace faults test test-long test-mpi test-mpi-long test-portability test-web test-python test-python-all test-opengl gpu-budget gpu-budget-all lint doc ci driver toolchain directories

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

demo: driver ## Learn CartPole-v1 until it is solved
	$(CARGO) run --release -- train CartPole-v1 --until-solved

results: driver ## The README's table of algorithms and environments; takes an hour without a GPU
	$(CARGO) run --release -- reproduce results

test: driver python strace ## All tests but those of the next line
	CARGO="$(CARGO)" sh scripts/test.sh

test-long: driver python strace ## Whole learning runs, and faults
	CARGO="$(CARGO)" sh scripts/test.sh long

# Built apart: without the feature nothing of MPI is in the program, which a test of the others looks at.
test-mpi: toolchain directories ## Runs over several ranks, as mpirun starts them
	sh scripts/ensure-driver.sh && sh scripts/ensure-mpi.sh && \
	$(CARGO) test --release --workspace --features mpi --test mpi -- --skip learning_

test-mpi-long: toolchain directories ## The same until something is learned, with 1, 2 and 4 ranks
	sh scripts/ensure-driver.sh && sh scripts/ensure-mpi.sh && \
	$(CARGO) test --release --workspace --features mpi --test mpi -- learning_ --nocapture

# What is about kernels. SwiftShader compiles anew in every process, one kernel after the other, and for minutes where two layers
# of 64 are learned; so the command line, the large shapes, most ways to explore and what a driver cannot change are left to llvmpipe.
KERNELS := --skip exploration:: --skip gradient_steps:: --skip off_policy_losses:: \
	--skip for_every_shape --skip layers_of_64 --skip fisher_products --skip optimal_baselines \
	--skip several_agents_learn --skip windows_of_the_trace --skip the_policy_gradient_agrees
# Of laws what compilers and threads could break: runs that repeat, worlds that do not see each other, the same sums in rollout and
# gradient, and every estimator's sums. The others are put together of the same kernels.
LAWS := rollouts:: every_estimator_sums --skip three_agents --skip one_readback

test-portability: toolchain directories ## Kernel tests on a second Vulkan driver, SwiftShader
	icd=$$(sh scripts/fetch-swiftshader.sh) && sh scripts/ensure-driver.sh && \
	VK_DRIVER_FILES="$$icd" VK_ICD_FILENAMES="$$icd" WGPU_BACKEND=vulkan \
	MANYWORLDS_EXPECT_ADAPTER=SwiftShader CARGO="$(CARGO)" KERNELS="$(KERNELS)" LAWS="$(LAWS)" sh scripts/test.sh kernels

# SwiftShader for this program too, so that nothing differs but who translates WGSL.
test-web: toolchain directories ## The page, and every kernel, in Chrome's WebGPU: Node, Dawn and Chromium
	icd=$$(sh scripts/fetch-swiftshader.sh) && sh scripts/ensure-driver.sh && web=$$(sh scripts/ensure-web.sh) && \
	eval "export $$web" && VK_DRIVER_FILES="$$icd" VK_ICD_FILENAMES="$$icd" WGPU_BACKEND=vulkan MANYWORLDS_EXPECT_ADAPTER=SwiftShader \
	$(CARGO) test --release --workspace --test web -- --ignored --nocapture

# With no Vulkan driver to be found, nothing but OpenGL can answer. wgpu has one OpenGL context in a process and panics
# where a thread waits a second for it, hence one test at a time.
test-opengl: toolchain directories ## Kernel tests on OpenGL in software (best effort)
	sh scripts/ensure-driver.sh opengl
	export VK_DRIVER_FILES=/nonexistent VK_ICD_FILENAMES=/nonexistent LIBGL_ALWAYS_SOFTWARE=1 \
	EGL_PLATFORM=surfaceless WGPU_BACKEND=gl && \
	$(CARGO) test --release --workspace --test kernel --test gradient -- $(KERNELS) --test-threads=1 && \
	$(CARGO) test --release --workspace --test law -- $(LAWS) --test-threads=1

# Mesa's driver for AMD's GPUs compiles for any of them without having it; it is in the package of the software driver.
# A test to cargo, not a benchmark: so it is made of what the tests are made of.
gpu-budget: driver ## Registers, spills and dispatches of what GPUs get, without one (GPUS=navi21: of one GPU)
	$(CARGO) test --release --workspace --bench budget -- $(GPUS)

# Its drivers for NVIDIA's and Intel's do so with a library in place of the kernel; `sudo benches/budget/debian13.sh
# target/debian13` makes all of them, once. By hand and not in CI.
DEBIAN13 ?= $(TARGET)/debian13

gpu-budget-all: driver ## The same of NVIDIA's and Intel's GPUs too (DEBIAN13=FOLDER: where their drivers are)
	$(CARGO) test --release --workspace --bench budget -- --drivers "$(DEBIAN13)" $(GPUS)

# The release profile and the whole workspace, here and for tests: what the lints, the documentation, the tests and the wheel depend
# on then has the same features, and is built once.
lint: toolchain ## Formatting and lints
	$(CARGO) fmt --all --check
	sh scripts/ensure-mpi.sh
	$(CARGO) clippy --release --workspace --all-targets --features mpi -- -D warnings

doc: toolchain ## Documentation, into target/doc
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --workspace --no-deps

ci: ## Everything that continuous integration checks
	.ci/run

driver: toolchain directories
	@sh scripts/ensure-driver.sh

python: directories
	@sh scripts/ensure-python.sh

wheel: toolchain wheel-tools ## The Python package as a wheel, into target/wheels
	rm -f "$(TARGET)"/wheels/manyworlds-*.whl
	CARGO_TARGET_DIR="$(TARGET)" "$(TARGET)/wheel-tools/bin/maturin" build --release --locked --quiet \
		--manifest-path python/Cargo.toml --out "$(TARGET)/wheels"

# On the wheel, away from the sources, as somebody has it. Tests with PyTorch, Stable-Baselines3 or IPython say that they are left out;
# `test-python-all` gets those, some gigabytes, and leaves nothing out.
test-python: driver wheel ## The short tests of the Python package, on its wheel
	rm -rf "$(TARGET)/wheel-tests" && cp -r python/tests "$(TARGET)/wheel-tests"
	"$(TARGET)/wheel-tools/bin/pip" install --quiet --force-reinstall --no-deps "$(TARGET)"/wheels/manyworlds-*.whl
	cd "$(TARGET)/wheel-tests" && ../wheel-tools/bin/python -m pytest --quiet -c "$(CURDIR)/python/pyproject.toml" --rootdir . .

test-python-all: test-python ## All of them, with PyTorch, Stable-Baselines3 and IPython
	"$(TARGET)/wheel-tools/bin/pip" install --quiet torch stable-baselines3 ipython
	cp -r python/examples "$(TARGET)" && cd "$(TARGET)/wheel-tests" && \
		../wheel-tools/bin/python -m pytest --quiet -c "$(CURDIR)/python/pyproject.toml" --rootdir . -m "" .

wheel-tools: directories
	@sh scripts/ensure-wheel-tools.sh

strace:
	@sh scripts/ensure-strace.sh

faults: driver strace ## Break runs on purpose in every known way, and score it; takes the better part of an hour
	tests/faults/run

toolchain:
	@command -v $(CARGO) >/dev/null 2>&1 || { \
		echo "Rust is needed, and $(CARGO) is not on PATH: https://rustup.rs" >&2; exit 3; }

directories:
	@mkdir -p "$(TARGET)/shader-cache" "$(TARGET)/runtime"
	@chmod 700 "$(TARGET)/runtime"
