"""TD3 and SAC of Stable-Baselines3 beside ours, in turns: gradient steps per second, and seconds to a return of -200.

    python benches/peers/off_policy.py [--rounds 3] [--nets 64,64 256,256] [--skip-race] [--binary target/release/manyworlds]

Needs stable-baselines3 and gymnasium. Theirs: `train(gradient_steps=100)` on a filled buffer, batch 256; for the race their
defaults with learning_rate 1e-3 (RL Zoo), evaluated every 500 steps over 100 episodes, whose time does not count. Ours:
`bench --replay`, and `train` from process start, evaluations included.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--binary", default="target/release/manyworlds")
parser.add_argument("--nets", nargs="+", default=["64,64", "256,256"], help="widths of hidden layers; 256,256 takes minutes")
parser.add_argument("--skip-race", action="store_true")
parser.add_argument("--theirs", help=argparse.SUPPRESS)
arguments = parser.parse_args()

NETS = [[int(width) for width in net.split(",")] for net in arguments.nets]
RACE = "num_envs=64 num_steps=100 batch_size=256 learning_starts=6400 buffer_size=200000 total_timesteps=640000".split()
RACE += "learning_rate=0.001 value_learning_rate=0.003 tau=0.02 anneal_lr=false eval_every=2 eval_episodes=100".split()


def model(name, net, **more):
    import gymnasium
    import stable_baselines3

    algorithm = getattr(stable_baselines3, name)
    settings = dict(batch_size=256, policy_kwargs=dict(net_arch=net), device="cpu", seed=1) | more
    return algorithm("MlpPolicy", gymnasium.make("Pendulum-v1"), **settings)


def theirs_updates(name, net):
    made = model(name, net, learning_starts=100)
    made.learn(400)
    rates = []
    for _ in range(3):
        begun = time.perf_counter()
        made.train(gradient_steps=100, batch_size=256)
        rates.append(100 / (time.perf_counter() - begun))
    return statistics.median(rates)


def theirs_race(name):
    """Seconds from process start to an evaluation of -200 or more."""
    import numpy
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.noise import NormalActionNoise
    import gymnasium

    noise = dict(action_noise=NormalActionNoise(numpy.zeros(1), 0.1 * numpy.ones(1)), learning_starts=1000, gamma=0.98)
    made = model(name, None, learning_rate=1e-3, policy_kwargs=None, **(noise if name == "TD3" else {}))
    env = gymnasium.make("Pendulum-v1")

    class Watch(BaseCallback):
        excluded, solved = 0.0, None

        def _on_step(self):
            if self.num_timesteps % 500 == 0:
                begun = time.perf_counter()
                mean, _ = evaluate_policy(self.model, env, n_eval_episodes=100)
                self.excluded += time.perf_counter() - begun
                if mean >= -200:
                    self.solved = time.perf_counter() - STARTED - self.excluded
                    return False
            return True

    watch = Watch()
    made.learn(30_000, callback=watch)
    return watch.solved


def ours_updates(name, net):
    command = [arguments.binary, "bench", "--replay", "--env", "Pendulum-v1", "--num-envs", "1", "--seconds", "5", "--json"]
    lines = subprocess.run(command + ["--net", ",".join(map(str, net))], capture_output=True, text=True, check=True).stdout
    measured = [json.loads(line) for line in lines.splitlines()]
    return next(m["updates_per_s"]["median"] for m in measured if m["algo"] == name.lower())


def ours_race(name):
    begun = time.perf_counter()
    command = [arguments.binary, "train", "Pendulum-v1", "--algo", name.lower()]
    command += [part for setting in RACE for part in ("--set", setting)]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in run.stderr:
        if "evaluation" in line and float(line.split("evaluation ")[1].split()[0]) >= -200:
            seconds = time.perf_counter() - begun
            run.kill()
            return seconds
    return None


def other(*what):
    """Of theirs, in a process of its own."""
    text = subprocess.run([sys.executable, __file__, "--theirs", " ".join(what)], capture_output=True, text=True).stdout
    return json.loads(text.splitlines()[-1])


STARTED = time.perf_counter()
if arguments.theirs:
    what, name, *net = arguments.theirs.split()
    print(json.dumps(theirs_race(name) if what == "race" else theirs_updates(name, [int(width) for width in net])))
    sys.exit()

for name in ("TD3", "SAC"):
    for net in NETS:
        rounds = [(other("updates", name, *map(str, net)), ours_updates(name, net)) for _ in range(arguments.rounds)]
        ratios = sorted(ours / theirs for theirs, ours in rounds)
        theirs, ours = (statistics.median(side) for side in zip(*rounds))
        print(f"{name} {net}: theirs {theirs:.0f}/s, ours {ours:.0f}/s, ratio {statistics.median(ratios):.2f} "
              f"({ratios[0]:.2f} to {ratios[-1]:.2f})", flush=True)
    if not arguments.skip_race:
        theirs, ours = other("race", name), ours_race(name)
        print(f"{name} to -200: theirs {theirs} s, ours {ours} s", flush=True)
