#!/bin/sh
# All that is to be measured on a GPU, in one go that ends in under eight minutes: for a machine that is lent for a quarter of
# an hour, without Rust and without network. What is built is built before and brought along.
#
#     cargo build --release && cargo test --release --no-run --test kernel      # where Rust is
#     MANYWORLDS=manyworlds KERNEL_TESTS=kernel-0123456789abcdef sh benches/gpu.sh OUT
#
# Environment:
#     MANYWORLDS      the program; target/release/manyworlds by default
#     KERNEL_TESTS    the executable of tests/kernel, as cargo says its name; left out where it is not given
#     PYTHON          a Python for the summary (standard library) and, where it has jax, gymnax, flax, optax and distrax,
#                     for the peers in benches/peers; python3 by default
#     ADAPTER         what `--adapter` gets; auto by default
#
# `--quick` behind OUT makes every size tiny: to try the script where a processor plays the GPU.
#
# Each step has a time limit of its own and leaves its results in OUT/NAME.json, or OUT/NAME.txt where they are text; what a
# step of the former says beside them is in OUT/NAME.txt. OUT/steps.txt has a line for each step: its name, ok or what went
# wrong, and its seconds. A step that fails stops no other. What no time is left for is left out and noted; so what matters
# most comes first. OUT/summary.md is made at the end, and says what there is.

set -u

usage() {
    echo "usage: gpu.sh OUT [--quick]" >&2
    exit 2
}

[ $# -ge 1 ] && [ $# -le 2 ] || usage
case $1 in
'' | -*) usage ;;
esac
out=$1
quick=no
if [ $# -eq 2 ]; then
    [ "$2" = --quick ] || usage
    quick=yes
fi

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
program=${MANYWORLDS:-$here/../target/release/manyworlds}
tests=${KERNEL_TESTS:-}
python=${PYTHON:-python3}
adapter=${ADAPTER:-auto}

command -v "$program" >/dev/null 2>&1 || {
    echo "gpu.sh: there is no program '$program'; build it, or say where it is: MANYWORLDS=PATH" >&2
    exit 2
}
command -v timeout >/dev/null 2>&1 || {
    echo "gpu.sh: 'timeout' of coreutils is needed" >&2
    exit 2
}
mkdir -p "$out" || exit 1
: >"$out/steps.txt" || exit 1

began=$(date +%s)
# a minute of eight is kept for a last step that does not end when it is told to, and for the summary
most=420

if [ $quick = yes ]; then
    worlds=64,128 worlds_of_kernels=64 worlds_of_replay=16
    small=8,8 large=16,16 steps=8 seconds=0.1
    train="128 32" train_large="256 16" rollout="128 16"
    updates=1 rounds=1
    replay_budget="--set total_timesteps=6400 --set learning_starts=1280 --set eval_episodes=20"
else
    worlds=4096,16384,65536,262144 worlds_of_kernels=4096,65536 worlds_of_replay=64,1024
    small=64,64 large=256,256 steps=32 seconds=1
    train="2048 32" train_large="65536 32" rollout="4096 128"
    updates=8 rounds=2
    replay_budget=""
fi

# step NAME LIMIT json|text COMMAND...
step() {
    name=$1 limit=$2 kind=$3
    shift 3
    started=$(date +%s)
    left=$((most - (started - began)))
    if [ "$left" -lt 5 ]; then
        echo "$name left out: no time is left" | tee -a "$out/steps.txt" >&2
        return
    fi
    [ "$limit" -le "$left" ] || limit=$left
    echo "$name: at most $limit s" >&2
    if [ "$kind" = json ]; then
        timeout -k 5 "$limit" "$@" >"$out/$name.json" 2>"$out/$name.txt" </dev/null
    else
        timeout -k 5 "$limit" "$@" >"$out/$name.txt" 2>&1 </dev/null
    fi
    code=$?
    took=$(($(date +%s) - started))
    case $code in
    0) said=ok ;;
    124 | 137) said="stopped at its limit of $limit s" ;;
    *) said="failed with exit code $code: $(tail -n 1 "$out/$name.txt" | cut -c 1-200)" ;;
    esac
    echo "$name $said ($took s)" >>"$out/steps.txt"
}

bench() {
    name=$1 limit=$2
    shift 2
    step "$name" "$limit" json "$program" bench --json --adapter "$adapter" --seconds $seconds "$@"
}

# Ours and theirs by turns: pair MODE SHAPE-NAME ROUND SCRIPT WORLDS STEPS [more of the peer's arguments]
pair() {
    mode=$1 shape=$2 round=$3 script=$4 envs=$5 length=$6
    shift 6
    [ $jax = yes ] || return 0
    bench "${mode}_${shape}_ours_$round" 30 --modes "$mode" --num-envs "$envs" --num-steps "$length" --net $small
    step "${mode}_${shape}_jax_$round" 60 json "$python" "$here/peers/$script" --num-envs "$envs" \
        --num-steps "$length" --net $small --seconds $seconds "$@"
}

# Words that are several arguments are left unquoted on purpose, here and below.
# shellcheck disable=SC2086
turns() {
    pair train small "$1" ppo_jax.py $train --updates $updates
    pair rollout small "$1" rollout_gymnax.py $rollout
    pair train large "$1" ppo_jax.py $train_large --updates $updates
}

# JAX would take most of the memory at its start, and keep it
export XLA_PYTHON_CLIENT_PREALLOCATE=false

step gpu 20 text nvidia-smi
step doctor 40 text "$program" doctor --adapter "$adapter"
[ -z "$tests" ] || step kernel_tests 90 text "$tests" --test-threads=1
step jax 40 text "$python" -c 'import jax, gymnax, flax, optax, distrax; print(jax.__version__, jax.devices())'
jax=no
grep -q '^jax ok' "$out/steps.txt" && jax=yes
bench bench_small 60 --num-envs $worlds --num-steps $steps --net $small
bench kernels_small 40 --kernels --num-envs $worlds_of_kernels --num-steps $steps --net $small
turns 1
bench kernels_large 40 --kernels --num-envs $worlds_of_kernels --num-steps $steps --net $large
bench bench_large 70 --num-envs $worlds --num-steps $steps --net $large
runs=$out/runs.$$
step train_cartpole 40 json "$program" train CartPole-v1 --until-solved --json --adapter "$adapter" \
    --out "$runs/cartpole"
# shellcheck disable=SC2086
step train_pendulum 60 json "$program" train Pendulum-v1 --algo sac --json --adapter "$adapter" --out "$runs/pendulum" \
    $replay_budget
rm -rf "$runs"
bench replay_small 40 --replay --env Pendulum-v1 --num-envs $worlds_of_replay --net $small
bench replay_large 40 --replay --env Pendulum-v1 --num-envs $worlds_of_replay --net $large
round=2
while [ $round -le $rounds ]; do
    turns $round
    round=$((round + 1))
done

command -v "$python" >/dev/null 2>&1 || {
    echo "gpu.sh: no summary without Python; the results are in $out" >&2
    exit 0
}
"$python" - "$out" <<'END'
import json
import pathlib
import re
import statistics
import sys

out = pathlib.Path(sys.argv[1])


def rows(name):
    """The JSON lines of a step; none where it left none."""
    path = out / f"{name}.json"
    found = []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:  # a line that a time limit cut off
            pass
    return [row for row in found if isinstance(row, dict)]


def text(name):
    path = out / f"{name}.txt"
    return path.read_text(errors="replace") if path.exists() else ""


def number(x, digits=3):
    """Three digits and a unit."""
    if x is None:
        return "–"
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(x) >= size:
            return f"{x / size:.{digits}g} {unit}" if abs(x) < 1e12 else f"{x / 1e9:.0f} G"
    return f"{x:.{digits}g}"


def share(x):
    return "–" if x is None else f"{100 * x:.0f} %"


lines = []


def table(title, head, body, note=""):
    body = list(body)
    if not body:
        return
    lines.extend(["", f"## {title}", ""] + ([note, ""] if note else []))
    for row in [head, ["---"] * len(head), *body]:
        lines.append("| " + " | ".join(str(word) for word in row) + " |")


benched = rows("bench_small") + rows("bench_large")
told = benched or rows("train_cartpole") + rows("train_pendulum")
lines.append("# Measured on a GPU")
lines.append("")
if told:
    lines.append("Adapter: {adapter}, {backend}; driver: {driver}.".format(**told[0]))
for line in text("gpu").splitlines():
    if "Driver Version" in line:
        lines.append("nvidia-smi: " + " ".join(line.strip("| ").split()) + ".")
tests = re.findall(r"^test result: .*", text("kernel_tests"), re.M)
if tests:
    lines.append("Kernels' tests: " + tests[-1].removeprefix("test result: ").split("; finished")[0] + ".")

ratios = []
for mode, shape in (("train", "small"), ("rollout", "small"), ("train", "large")):
    pairs, first = [], None
    for turn in range(1, 10):
        ours, theirs = ((rows(f"{mode}_{shape}_{who}_{turn}") or [None])[-1] for who in ("ours", "jax"))
        if ours and theirs:
            pairs.append((ours["steps_per_s"]["median"], theirs["steps_per_s"]["median"]))
            first = first or (ours, theirs)
    if pairs:
        each = [ours / theirs for ours, theirs in pairs]
        ours, theirs = first
        ratios.append([
            mode, f"{ours['num_envs']:,} × {ours['num_steps']}", ours["net"],
            number(statistics.median(p[0] for p in pairs)), number(statistics.median(p[1] for p in pairs)),
            f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})", len(each),
            f"{ours['setup_s']:.1f}", f"{theirs['setup_s']:.1f}", theirs["device"],
        ])  # fmt: skip
table(
    "Beside JAX (ours : theirs, medians over rounds; smallest to largest)",
    ["mode", "worlds × steps", "net", "ours /s", "JAX /s", "ratio", "rounds", "our set-up s", "theirs", "JAX's device"],
    ratios,
)
table(
    "Environment steps per second",
    ["mode", "net", "worlds × steps", "min", "median", "max", "runs", "timed", "set-up s"],
    (
        [
            row["mode"], row["net"], f"{row['num_envs']:,} × {row['num_steps']}",
            *(number(row["steps_per_s"][name]) for name in ("min", "median", "max")),
            row["runs"], share(row.get("timed_share")), f"{row['setup_s']:.2f}",
        ]
        for row in benched
    ),
)  # fmt: skip
kernels = [(net, row) for net in ("small", "large") for row in rows(f"kernels_{net}")]
names = {"small": rows("bench_small"), "large": rows("bench_large")}
ceilings = {(row["ceiling_gflops"], row["ceiling_gbytes"]) for _, row in kernels}
table(
    "Kernels of an update",
    ["net", "worlds", "kernel", "n", "ms", "share", "GFLOP/s", "of multiply-add ceiling", "GB/s", "of copy ceiling"],
    (
        [
            names[net][0]["net"] if names[net] else net, f"{row['num_envs']:,}", row["kernel"], row["dispatches"],
            f"{row['ms']:.3f}", share(row["share"]), number(row["gflops"]),
            share(row["gflops"] and row["gflops"] / row["ceiling_gflops"]), number(row["gbytes"]),
            share(row["gbytes"] and row["gbytes"] / row["ceiling_gbytes"]),
        ]
        for net, row in kernels
        if row["share"] >= 0.005
    ),
    "Ceilings (GFLOP/s multiply-add, GB/s copy): " + "; ".join(f"{a:,.0f}, {b:,.0f}" for a, b in sorted(ceilings)),
)  # fmt: skip
table(
    "Gradient steps per second on replayed transitions",
    ["algorithm", "worlds", "batch", "net", "min", "median", "max", "dispatches", "share of worlds"],
    (
        [
            row["algo"], f"{row['num_envs']:,}", row["batch_size"], row["net"],
            *(number(row["updates_per_s"][name]) for name in ("min", "median", "max")),
            f"{row['dispatches_per_update']:.1f}", share(row["worlds_share"]),
        ]
        for row in rows("replay_small") + rows("replay_large")
    ),
)  # fmt: skip
table(
    "Learning, from process start",
    ["environment", "algorithm", "steps", "seconds", "of them set-up", "solved at s", "mean return", "episodes"],
    (
        [
            row["env"], row["algo"], f"{row['env_steps']:,}", f"{row['wall_s']:.2f}", f"{row['setup_s']:.2f}",
            number(row.get("solved_at_s")), f"{row['eval']['mean']:.1f}", row["eval"]["episodes"],
        ]
        for row in rows("train_cartpole") + rows("train_pendulum")
    ),
)  # fmt: skip
steps = text("steps").splitlines()
bad = [line for line in steps if " ok (" not in line]
lines.extend(["", f"## Steps: {len(steps) - len(bad)} of {len(steps)} ended well", ""])
lines.extend(f"- {line}" for line in bad)
(out / "summary.md").write_text("\n".join(lines).rstrip() + "\n")
print(out / "summary.md")
END
