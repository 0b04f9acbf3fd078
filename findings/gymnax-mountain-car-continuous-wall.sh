#!/bin/sh
# gymnax 1.0.1: the car of MountainCarContinuous-v0 keeps its velocity when it runs into the left wall.
#
# In Gymnasium the wall at -1.2 stops the car: its position is held there and its velocity becomes 0. In gymnax 1.0.1 the
# position is held and the velocity is not; the test beside it compares the position with the goal, 0.45, instead of the
# wall. A car that pushes to the right from (-1.19, -0.05) therefore stays at the wall until its engine has used up the
# velocity, 13 steps long, where Gymnasium's leaves in the second step. Policies that swing against the wall see another
# environment.
#
# Seen with gymnax 1.0.1 on JAX 0.10.2, Gymnasium 1.4.0, Python 3.11, x86-64 Linux:
#   gymnax     after 1 step: position -1.2000, velocity -0.0462; steps at the wall: 13
#   Gymnasium  after 1 step: position -1.2000, velocity +0.0000; steps at the wall: 1
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

START, STEPS, WALL = (-1.19, -0.05), 20, -1.2
env, params = gymnax.make("MountainCarContinuous-v0")
key = jax.random.PRNGKey(0)
_, state = env.reset(key, params)
state = state.replace(position=jnp.float32(START[0]), velocity=jnp.float32(START[1]))
gymnax_states = []
for _ in range(STEPS):
    _, state, *_ = env.step_env(key, state, jnp.array([1.0]), params)
    gymnax_states.append((float(state.position), float(state.velocity)))

peer = gymnasium.make("MountainCarContinuous-v0").unwrapped
peer.reset(seed=0)
peer.state = np.array(START, dtype=np.float32)
gymnasium_states = []
for _ in range(STEPS):
    peer.step(np.array([1.0], dtype=np.float32))
    gymnasium_states.append(tuple(float(x) for x in peer.state))


def at_wall(states):
    return sum(1 for position, _ in states if position < WALL + 1e-6)


for name, states in (("gymnax", gymnax_states), ("Gymnasium", gymnasium_states)):
    position, velocity = states[0]
    print(f"{name:10} after 1 step: position {position:.4f}, velocity {velocity:+.4f}; steps at the wall: {at_wall(states)}")
same = (
    abs(gymnax_states[0][1] + 0.0462) < 1e-3
    and at_wall(gymnax_states) == 13
    and gymnasium_states[0][1] == 0.0
    and at_wall(gymnasium_states) == 1
)
print("as described" if same else "not as described")
sys.exit(0 if same else 1)
PYTHON
