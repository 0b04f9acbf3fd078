"""Records steps of bsuite's DeepSea at sizes 11 and 50 for tests/api/parity.rs, as JSON files in tests/data.

    python3 -m venv /tmp/bsuite && /tmp/bsuite/bin/pip install bsuite==0.3.6 numpy==2.4.6
    /tmp/bsuite/bin/python scripts/record-bsuite.py tests/data

State and next state are (row, column); `cell` is that of the one-hot observation after the step, null after the end.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from bsuite.environments.deep_sea import DeepSea

assert version("bsuite") == "0.3.6", version("bsuite")
SHARES = [0.5, 1.0, 0.9, 0.1]  # of moves to the right, one for each episode in turn


def transitions(size, episodes, kept):
    """Steps of some episodes; of each episode those that `kept` names."""
    draw = np.random.default_rng(size)
    for episode in range(episodes):
        env = DeepSea(size=size, randomize_actions=False)
        env.reset()
        state = [0, 0]
        for t in range(size):
            action = int(draw.random() < SHARES[episode % len(SHARES)])
            step = env.step(action)
            after = [int(env._row), int(env._column)]
            cells = np.argwhere(np.asarray(step.observation))
            if t in kept:
                yield {
                    "state": state,
                    "action": action,
                    "next_state": after,
                    "reward": float(step.reward),
                    "terminated": bool(step.last()),
                    "cell": cells[0].tolist() if len(cells) else None,
                }
            state = after


for size, episodes, kept in ((11, 12, range(11)), (50, 6, (0, 1, 2, 10, 25, 40, 47, 48, 49))):
    content = {
        "source": {"package": "bsuite", "version": version("bsuite"), "note": f"randomize_actions=False, size {size}"},
        "env": "DeepSea",
        "set_env": {"mapping_seed": 0, "size": size},
        "transitions": list(transitions(size, episodes, kept)),
    }
    path = Path(sys.argv[1], f"parity_bsuite_deep_sea_{size}.json")
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")
