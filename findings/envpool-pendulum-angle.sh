#!/bin/sh
# EnvPool 1.2.5: Pendulum-v1 moves the angle by the angular velocity from before it is clipped.
#
# Gymnasium clips the new velocity to [-8, 8] first and moves the angle by what is left. EnvPool 1.2.5 moves the angle by
# the velocity that is not clipped yet, and reports the clipped one. Whenever the pendulum reaches its top speed the angle
# is off by up to 0.05 s times the excess. Rewards of the step are equal; the trajectory is not.
#
# Seen with EnvPool 1.2.5 and Gymnasium 1.4.0, Python 3.11, x86-64 Linux, 64 pendulums that are pushed the way they swing,
# 200 steps, each made again by Gymnasium from EnvPool's state before it:
#   steps at the top speed: 4312, angle off by up to 0.053 rad, 4258 by more than 1e-3
#     and within 6.7e-07 rad of 0.05 s times the clipped excess
#   all other steps: 8424, off by up to 4.8e-07 rad
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be installed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check envpool==1.2.5 || exit 2
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps gymnasium==1.4.0 || exit 2

"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings

warnings.filterwarnings("ignore")
import envpool
import gymnasium
import numpy as np

WORLDS, STEPS = 64, 200
envs = envpool.make("Pendulum-v1", env_type="gymnasium", num_envs=WORLDS, seed=3)
peer = gymnasium.make("Pendulum-v1").unwrapped
peer.reset(seed=0)
seen, _ = envs.reset()
fast, slow, explained = [], [], []
for _ in range(STEPS - 1):
    push = np.where(seen[:, 2] >= 0, 2.0, -2.0).astype(np.float32)[:, None]
    after, *_ = envs.step(push)
    for world in range(WORLDS):
        angle, velocity = np.arctan2(seen[world, 1], seen[world, 0]), float(seen[world, 2])
        peer.state = np.array([angle, velocity], dtype=np.float64)
        expected, *_ = peer.step(push[world])
        turned = np.arctan2(after[world, 1], after[world, 0]) - np.arctan2(expected[1], expected[0])
        off = abs((turned + np.pi) % (2 * np.pi) - np.pi)
        # the velocity before clipping, by Gymnasium's formula: g = 10, m = l = 1, 0.05 s
        excess = abs(velocity + (15.0 * np.sin(angle) + 3.0 * float(push[world, 0])) * 0.05) - 8.0
        if excess > 0:
            fast.append(off)
            explained.append(abs(off - 0.05 * excess))
        else:
            slow.append(off)
    seen = after
print(f"steps at the top speed: {len(fast)}, angle off by up to {max(fast):.3f} rad, {sum(x > 1e-3 for x in fast)} by more than 1e-3")
print(f"  and within {max(explained):.1e} rad of 0.05 s times the clipped excess")
print(f"all other steps: {len(slow)}, off by up to {max(slow):.1e} rad")
same = len(fast) > 100 and max(fast) > 0.02 and max(explained) < 1e-4 and max(slow) < 1e-4
print("as described" if same else "not as described")
sys.exit(0 if same else 1)
PYTHON
