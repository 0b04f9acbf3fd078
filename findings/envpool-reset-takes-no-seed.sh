#!/bin/sh
# envpool 1.2.5: reset(seed=…) of its Gymnasium environments takes a seed without a word and does not use it, and the spaces of
# what says that it is a gymnasium.vector.VectorEnv are those of a single world.
#
# Gymnasium's vector environments begin the same episodes after every reset with the same seed; EnvPool's draws go on from the seed
# that `make` was given. A learner that seeds by its resets, as CleanRL's and Gymnasium's examples do, is not repeatable there.
# `observation_space.shape` is that of one world, so buffers that are made by it are too small by the number of worlds.
#
# Seen with Python 3.11, gymnasium 1.3.0, NumPy 2.4.6, x86-64 Linux; two carts:
#   a vector environment: True, its observation space (4,), its observations (2, 4)
#   the same first observations after reset(seed=7) twice: False
#   the same first observations of two that were made with seed=7: True
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be installed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install envpool==1.2.5 gymnasium==1.3.0 numpy==2.4.6 || exit 2
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import envpool
import gymnasium
import numpy as np


def carts(seed):
    return envpool.make("CartPole-v1", env_type="gymnasium", num_envs=2, seed=seed)


two = carts(1)
vector = isinstance(two, gymnasium.vector.VectorEnv)
first, _ = two.reset(seed=7)
again, _ = two.reset(seed=7)
made = [carts(7).reset()[0] for _ in range(2)]
of_resets, of_makes = np.array_equal(first, again), np.array_equal(*made)
print(f"a vector environment: {vector}, its observation space {two.observation_space.shape}, its observations {first.shape}")
print("the same first observations after reset(seed=7) twice:", of_resets)
print("the same first observations of two that were made with seed=7:", of_makes)
as_described = vector and two.observation_space.shape == (4,) and first.shape == (2, 4) and not of_resets and of_makes
print("as described" if as_described else "not as described")
sys.exit(0 if as_described else 1)
PYTHON
