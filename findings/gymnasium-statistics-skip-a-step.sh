#!/bin/sh
# gymnasium 1.3.0: RecordEpisodeStatistics around worlds with same-step autoreset leaves the first step of every episode but the
# first out of its lengths and returns; 1.4.0 counts it.
#
# The wrapper takes the step after an ending for one that was spent on a reset, which holds for next-step autoreset alone.
#
# Seen with Python 3.11, NumPy 2.4.6, x86-64 Linux; two carts that are pushed to the left for 400 steps:
#   gymnasium 1.3.0: 86 episodes, 84 with a step too few
#   gymnasium 1.4.0: 86 episodes, 0 with a step too few
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be installed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
cat >"$folder/count.py" <<'PYTHON'
import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics


def cart():
    return gymnasium.make("CartPole-v1")


carts = RecordEpisodeStatistics(SyncVectorEnv([cart, cart], autoreset_mode=AutoresetMode.SAME_STEP))
carts.reset(seed=0)
length, episodes, short = np.zeros(2, int), 0, 0
for _ in range(400):
    _, _, terminations, truncations, infos = carts.step(np.zeros(2, int))
    length += 1
    for cart in np.flatnonzero(terminations | truncations):
        episodes += 1
        short += int(infos["episode"]["l"][cart] == length[cart] - 1)
        length[cart] = 0
print(f"gymnasium {gymnasium.__version__}: {episodes} episodes, {short} with a step too few")
PYTHON
count() {
	"$folder/venv/bin/pip" --quiet --disable-pip-version-check install "gymnasium==$1" numpy==2.4.6 || exit 2
	"$folder/venv/bin/python" "$folder/count.py"
}
old=$(count 1.3.0) || exit 2
new=$(count 1.4.0) || exit 2
printf '%s\n%s\n' "$old" "$new"
case "$old/$new" in
*"86 episodes, 84 with a step too few/"*"86 episodes, 0 with a step too few") echo "as described" ;;
*)
	echo "not as described"
	exit 1
	;;
esac
