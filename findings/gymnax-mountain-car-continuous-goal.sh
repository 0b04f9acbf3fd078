#!/bin/sh
# gymnax 1.0.1: MountainCarContinuous-v0 takes a car that rolls back over the goal for one that arrives.
#
# In Gymnasium the episode ends where the position is at least 0.45 and the velocity at least 0. In gymnax 1.0.1 a car at or
# beyond the goal that moves left is stopped (its velocity becomes 0) before that is tested, so it counts as arrived and
# gets the reward of 100. Play from a reset ends at the goal on the way up; states that a caller sets, or starts of a
# curriculum beyond the goal, meet it.
#
# Seen with gymnax 1.0.1 on JAX 0.10.2, Gymnasium 1.4.0, Python 3.11, x86-64 Linux, one step from (0.5, -0.01) with action 1:
#   gymnax     velocity +0.0000, reward 99.9, terminated True
#   Gymnasium  velocity -0.0087, reward -0.1, terminated False
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be installed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gymnax==1.0.1 jax==0.10.2 six==1.17.0 || exit 2
# gymnax asks for an older Gymnasium, and does not use it here
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps gymnasium==1.4.0 || exit 2

JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings

warnings.filterwarnings("ignore")
import gymnasium
import gymnax
import jax
import jax.numpy as jnp
import numpy as np

env, params = gymnax.make("MountainCarContinuous-v0")
key = jax.random.PRNGKey(0)
_, state = env.reset(key, params)
state = state.replace(position=jnp.float32(0.5), velocity=jnp.float32(-0.01))
_, state, reward, terminated, *_ = env.step_env(key, state, jnp.array([1.0]), params)
gymnax_step = (float(state.velocity) + 0.0, float(reward), bool(terminated))

peer = gymnasium.make("MountainCarContinuous-v0").unwrapped
peer.reset(seed=0)
peer.state = np.array([0.5, -0.01], dtype=np.float32)
_, reward, terminated, *_ = peer.step(np.array([1.0], dtype=np.float32))
gymnasium_step = (float(peer.state[1]), float(reward), bool(terminated))

for name, (velocity, reward, terminated) in (("gymnax", gymnax_step), ("Gymnasium", gymnasium_step)):
    print(f"{name:10} velocity {velocity:+.4f}, reward {reward:.1f}, terminated {terminated}")
same = (
    gymnax_step[0] == 0.0
    and abs(gymnax_step[1] - 99.9) < 1e-3
    and gymnax_step[2]
    and abs(gymnasium_step[0] + 0.0087) < 1e-3
    and abs(gymnasium_step[1] + 0.1) < 1e-3
    and not gymnasium_step[2]
)
print("as described" if same else "not as described")
sys.exit(0 if same else 1)
PYTHON
