#!/bin/sh
# gymnasium 1.4.0: SyncVectorEnv.reset takes "reset_mask" out of the options that its caller holds, so that RecordEpisodeStatistics
# around it, which looks for the mask afterwards, forgets the running episodes of every world and not of those that were reset.
#
# The options are popped in place (`vector/sync_vector_env.py`); the wrapper hands its own options on and asks them again
# (`wrappers/vector/common.py`). The worlds themselves are right: those outside of the mask go on. A caller who keeps one dictionary
# for all resets resets all worlds from the second time on. A copy of the options at every call avoids both.
#
# Seen with Python 3.11, NumPy 2.4.6, x86-64 Linux; two carts, five steps, a reset of the first:
#   options afterwards: []
#   steps that were counted: [0, 0]
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be installed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install gymnasium==1.4.0 numpy==2.4.6 || exit 2
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics


def cart():
    return gymnasium.make("CartPole-v1")


carts = RecordEpisodeStatistics(SyncVectorEnv([cart, cart], autoreset_mode=AutoresetMode.DISABLED))
carts.reset(seed=0)
for _ in range(5):
    carts.step([0, 1])
options = {"reset_mask": np.array([True, False])}
carts.reset(options=options)
left, counted = list(options), [int(n) for n in carts.episode_lengths]
print("options afterwards:", left)
print("steps that were counted:", counted)
as_described = left == [] and counted == [0, 0]
print("as described" if as_described else "not as described")
sys.exit(0 if as_described else 1)
PYTHON
