"""Manyworlds beside its peers on this machine: the same work in turns (A B A B), and a table of ratios.

Steps per second of 64 steps for gymnax, of 1,000 for the others; Stable-Baselines3 runs its own defaults.

    pip install -r benches/peers/requirements.txt
    cargo build --release && python benches/peers/compare.py

Each round starts every program anew. Ratios are medians over rounds of ours to theirs; the spread is their smallest and
largest. Peers that are not installed are left out, and said so.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
STEP, ROLLOUT, TRAIN = (65536, 1000), (4096, 128), (2048, 32)


def ours(binary, mode, shape, seconds, adapter):
    command = [binary, "bench", "--json", "--modes", mode, "--num-envs", shape[0], "--num-steps", shape[1]]
    return line_of([*command, "--seconds", seconds, "--adapter", adapter])


def theirs(script, seconds, *more):
    return line_of([sys.executable, HERE / script, "--seconds", seconds, *more])


def line_of(command):
    """The JSON line that a program ends with."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
    return json.loads(lines[-1])


def limit_in_c(folder, seconds):
    program = pathlib.Path(folder) / "step_c"
    if not program.exists():
        flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-fopenmp"]
        subprocess.run(["cc", *flags, HERE / "step_c.c", "-o", program, "-lm"], check=True, capture_output=True)
    done = subprocess.run([program, *map(str, STEP), str(seconds)], check=True, capture_output=True, text=True)
    rates = [float(line.split()[0]) for line in done.stdout.splitlines()]
    return {"steps_per_s": {"median": statistics.median(rates)}, "version": "AVX, OpenMP"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(HERE.parent.parent / "target" / "release" / "manyworlds"))
    parser.add_argument("--adapter", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", action="store_true", help="one JSON object for each pair")
    a = parser.parse_args()
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

    def mine(mode, shape):
        return lambda: ours(a.binary, mode, shape, a.seconds, a.adapter)

    def shape(n):
        return ["--num-envs", n[0], "--num-steps", n[1]]

    with tempfile.TemporaryDirectory() as folder:
        step, rollout, train = mine("step", STEP), mine("rollout", ROLLOUT), mine("train", TRAIN)
        cheap = ["--prng", "unsafe_rbg"]
        pairs = [
            ("step, 65,536 worlds", step, "gymnax", lambda: theirs("step_gymnax.py", a.seconds, *shape((STEP[0], 64)))),
            ("", step, "C, all cores, hash as generator", lambda: limit_in_c(folder, a.seconds)),
            ("rollout, 4,096 × 128", rollout, "gymnax", lambda: theirs("rollout_gymnax.py", a.seconds, *shape(ROLLOUT))),
            ("", rollout, "gymnax, cheapest keys",
             lambda: theirs("rollout_gymnax.py", a.seconds, *shape(ROLLOUT), *cheap)),
            ("PPO, 2,048 × 32", train, "one jitted JAX program", lambda: theirs("ppo_jax.py", a.seconds, *shape(TRAIN))),
            ("", train, "the same, cheapest keys", lambda: theirs("ppo_jax.py", a.seconds, *shape(TRAIN), *cheap)),
            ("", train, "Stable-Baselines3, 8 worlds", lambda: theirs("ppo_sb3.py", a.seconds)),
        ]  # fmt: skip
        if not a.json:
            print(f"{'work':22} {'peer':34} {'theirs /s':>12} {'ours /s':>12} {'ratio':>8}  spread")
        for work, left, name, right in pairs:
            rates = []
            try:
                for _ in range(a.rounds):
                    rates.append([run()["steps_per_s"]["median"] for run in (left, right)])
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                print(f"{work:22} {name:34} left out: {error}", file=sys.stderr)
                continue
            ratios = [mine / peer for mine, peer in rates]
            mine, peer = (statistics.median(column) for column in zip(*rates))
            ratio = statistics.median(ratios)
            if a.json:
                print(json.dumps({"work": work, "peer": name, "theirs": peer, "ours": mine, "ratios": ratios}), flush=True)
            else:
                spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
                print(f"{work:22} {name:34} {peer:12,.0f} {mine:12,.0f} {ratio:7.2f}x  {spread}", flush=True)


main()
