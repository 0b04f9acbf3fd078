"""Steps per second of CartPole-v1 behind Gymnasium's vector interface, in turns (A B A B), and peak memory of each.

Ours: `VectorEnv` in both modes of autoreset, and `step_many` of 64 steps. Theirs: Gymnasium's own vectorised CartPole
in NumPy and EnvPool, both with next-step autoreset; they have no call of many steps. Actions are int64 arrays that are
there before, 16 in rotation; what a step leaves is let go.

    pip install manyworlds envpool && python benches/peers/step_gymnasium.py

Every round starts every program anew. Ratios are medians over rounds of ours to theirs; the spread is their smallest
and largest. Programs that are not installed are left out, and said so.
"""

import argparse
import importlib.metadata
import json
import resource
import statistics
import subprocess
import sys
import time

import peer

MANY = 64
OURS = {"VectorEnv, same-step": "same-step", "VectorEnv, next-step": "next-step", f"step_many({MANY})": "many"}
THEIRS = {"Gymnasium, NumPy": "gymnasium", "EnvPool": "envpool"}


def made(program, num_envs):
    """A function that makes steps, how many, and what made it."""
    import numpy as np

    random = np.random.default_rng(0)
    actions = random.integers(2, size=(MANY if program == "many" else 16, num_envs))
    if program == "gymnasium":
        import gymnasium

        envs = gymnasium.make_vec("CartPole-v1", num_envs=num_envs, vectorization_mode="vector_entry_point")
    elif program == "envpool":
        import envpool

        envs = envpool.make("CartPole-v1", env_type="gymnasium", num_envs=num_envs)
    else:
        import manyworlds

        envs = manyworlds.VectorEnv(
            "CartPole-v1", num_envs, seed=1, autoreset="same-step" if program == "many" else program
        )
    envs.reset()
    if program == "many":
        return (lambda: envs.step_many(actions)), MANY * num_envs
    turns = max(1, 2**18 // num_envs)

    def steps():
        for turn in range(turns):
            envs.step(actions[turn % 16])

    return steps, turns * num_envs


def one(program, num_envs, seconds):
    """Measures one program: two lines of JSON."""
    began = time.perf_counter()
    work, steps = made(program, num_envs)
    version = importlib.metadata.version({"gymnasium": "gymnasium", "envpool": "envpool"}.get(program, "manyworlds"))
    peer.measure(work, steps, seconds, time.perf_counter() - began, program=program, version=version)
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    print(json.dumps({"peak_mib": kib / 1024}), flush=True)


def measured(program, num_envs, seconds):
    command = [sys.executable, __file__, "--one", program, "--num-envs", str(num_envs), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(lines) < 2:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
    return lines[-2]["steps_per_s"]["median"], lines[-1]["peak_mib"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-envs", type=int, nargs="+", default=[4096, 65536])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.one:
        return one(a.one, a.num_envs[0], a.seconds)

    for num_envs in a.num_envs:
        rates, peaks, programs = {}, {}, OURS | THEIRS
        for _ in range(a.rounds):
            for name, program in list(programs.items()):
                try:
                    rate, peak = measured(program, num_envs, a.seconds)
                except RuntimeError as error:
                    print(f"{name} left out: {error}", file=sys.stderr)
                    programs.pop(name)
                    rates.pop(name, None)
                    continue
                rates.setdefault(name, []).append(rate)
                peaks[name] = max(peaks.get(name, 0), peak)
        print(f"\n{num_envs:,} worlds{'':8} {'steps /s':>13} {'min':>13} {'max':>13} {'peak MiB':>9}")
        for name, of in rates.items():
            print(f"{name:22} {statistics.median(of):12,.0f} {min(of):13,.0f} {max(of):13,.0f} {peaks[name]:9,.0f}")
        print(f"\n{'ours':22} {'peer':22} {'ratio':>8}  spread")
        for mine in OURS:
            for theirs in THEIRS:
                if mine in rates and theirs in rates:
                    ratios = [a / b for a, b in zip(rates[mine], rates[theirs])]
                    ratio = statistics.median(ratios)
                    print(f"{mine:22} {theirs:22} {ratio:7.2f}x  {min(ratios):.2f} to {max(ratios):.2f}", flush=True)


main()
