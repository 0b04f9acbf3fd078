"""Records facts of Gymnasium 1.4.0 for tests/api/parity.rs as JSON files in tests/data.

    python3 -m venv /tmp/gymnasium && /tmp/gymnasium/bin/pip install gymnasium==1.4.0 numpy==2.4.6
    /tmp/gymnasium/bin/python scripts/record-gymnasium.py tests/data

gymnasium_autoreset.json: a vector of four CartPoles that all begin in the same state, in each of the three modes of
  automatic reset. Their actions make one end by its pole, one by the limit, and one by both in one step.
gymnasium_edges.json: single steps where packages that rebuild these environments have been seen to differ: walls, goals,
  bounds of speed, actions past the bounds, rewards of ending steps; a run along a wall; the step limits.
"""

import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit

assert gym.__version__ == "1.4.0", gym.__version__
START = [0.0, 0.0, 0.03125, 0.25]
LIMIT = 11  # steps that the pole stands from START while the cart is pushed to the right
STEPS = 40


class FixedStart(CartPoleEnv):
    """CartPole whose episodes all begin in START."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = np.array(START)
        return np.array(self.state, dtype=np.float32), {}


def actions(step):
    """One pushes right always; one in turns; one left always but for a pause; one right, right, left."""
    return [1, step % 2, 1 if step % 7 == 3 else 0, 0 if step % 3 == 2 else 1]


def numbers(array):
    return np.asarray(array, dtype=np.float64).tolist()


def autoreset(mode):
    envs = SyncVectorEnv([lambda: TimeLimit(FixedStart(), LIMIT) for _ in range(4)], autoreset_mode=mode)
    first, _ = envs.reset(seed=0)
    steps = []
    for t in range(STEPS):
        given = actions(t)
        seen, rewards, terminated, truncated, info = envs.step(np.array(given))
        step = {
            "actions": given,
            "observations": numbers(seen),
            "rewards": numbers(rewards),
            "terminated": terminated.tolist(),
            "truncated": truncated.tolist(),
        }
        ended = terminated | truncated
        if mode == AutoresetMode.SAME_STEP and ended.any():
            step["final_observations"] = [numbers(x) if e else None for x, e in zip(info["final_obs"], ended)]
        if mode == AutoresetMode.DISABLED and ended.any():
            step["after_reset"] = numbers(envs.reset(options={"reset_mask": ended})[0])
        steps.append(step)
    all_terminated = np.array([s["terminated"] for s in steps])
    all_truncated = np.array([s["truncated"] for s in steps])
    assert (all_terminated & ~all_truncated).any(), "nothing ended by its pole alone"
    assert (all_truncated & ~all_terminated).any(), "nothing ended by the limit alone"
    assert (all_truncated & all_terminated).any(), "nothing ended by both"
    return {"first": numbers(first), "steps": steps}


# environment: (state, action)
EDGES = {
    "CartPole-v1": [
        ([2.39, 3.0, 0.0, 0.0], 1),  # past 2.4
        ([-2.39, -3.0, 0.0, 0.0], 0),
        ([2.39, 0.4, 0.0, 0.0], 1),  # just short of it
        ([0.0, 0.0, 0.2, 1.0], 1),  # past 12 degrees
        ([0.0, 0.0, -0.2, -1.0], 0),
        ([0.0, 0.0, 0.2, 0.4], 1),  # just short of them
    ],
    "MountainCar-v0": [
        ([-1.19, -0.05], 2),  # the wall stops the car
        ([-1.2, 0.0], 0),
        ([0.48, 0.05], 2),  # the goal
        ([0.59, -0.005], 0),  # past it on the way back
        ([0.55, -0.02], 0),
        ([0.58, 0.06], 2),  # the right end
    ],
    "MountainCarContinuous-v0": [
        ([-1.19, -0.05], [1.0]),
        ([-1.2, 0.0], [-1.0]),
        ([-1.2, 0.0], [1.0]),
        ([0.44, 0.03], [1.0]),
        ([0.44, 0.03], [-1.0]),
        ([0.5, -0.01], [1.0]),  # past the goal on the way back: not arrived
        ([0.5, -0.01], [-1.0]),
        ([0.6, -0.001], [0.0]),
        ([0.59, 0.05], [1.0]),  # the right end
        ([-0.5, 0.01], [1.7]),  # past the bounds: the force is clipped, the cost is not
        ([-0.5, 0.01], [-3.0]),
    ],
    "Pendulum-v1": [
        ([1.5, 7.9], [2.0]),  # past 8: the angle moves by the clipped speed
        ([-1.5, -7.9], [-2.0]),
        ([1.0, 8.0], [2.0]),
        ([-2.0, -8.0], [-2.0]),
        ([1.5, 7.9], [3.0]),  # past the bounds: clipped, in the cost too
        ([0.3, 0.1], [-2.5]),
    ],
    "Acrobot-v1": [
        ([2.6, 0.5, 3.0, 1.0], 2),  # up: reward 0
        ([-2.6, -0.5, -3.0, -1.0], 0),
        ([1.5, 0.2, 1.0, -1.0], 1),  # not up: reward -1
        ([0.1, 0.1, 0.0, 0.0], 2),
        ([3.1, 0.0, 4.0, 3.0], 1),  # turns past pi
    ],
}


def step(name, state, action):
    env = gym.make(name).unwrapped
    env.reset(seed=0)
    kind = np.float32 if name == "MountainCarContinuous-v0" else np.float64
    state = [float(np.float32(x)) for x in state]  # what f32 can hold
    env.state = np.array(state, dtype=kind)
    given = np.array(action, dtype=np.float32) if isinstance(action, list) else action
    seen, reward, terminated, truncated, _ = env.step(given)
    assert not truncated
    return {
        "state": state,
        "action": action,
        "next_state": numbers(env.state),
        "obs": numbers(seen),
        "reward": float(reward),
        "terminated": bool(terminated),
    }


def along_the_wall():
    """States from (-1.19, -0.05) with full force to the right, 20 steps."""
    env = gym.make("MountainCarContinuous-v0").unwrapped
    env.reset(seed=0)
    env.state = np.array([-1.19, -0.05], dtype=np.float32)
    states = [numbers(env.state)]
    for _ in range(20):
        env.step(np.array([1.0], dtype=np.float32))
        states.append(numbers(env.state))
    return states


def write(name, content):
    content = {"gymnasium": gym.__version__, "numpy": np.__version__, **content}
    Path(sys.argv[1], name).write_text(json.dumps(content, separators=(",", ":")) + "\n")


modes = {"next_step": AutoresetMode.NEXT_STEP, "same_step": AutoresetMode.SAME_STEP, "disabled": AutoresetMode.DISABLED}
write(
    "gymnasium_autoreset.json",
    {"start": START, "limit": LIMIT, "modes": {name: autoreset(mode) for name, mode in modes.items()}},
)
write(
    "gymnasium_edges.json",
    {
        "environments": {name: [step(name, *given) for given in cases] for name, cases in EDGES.items()},
        "along_the_wall": along_the_wall(),
        "limits": {name: gym.spec(name).max_episode_steps for name in EDGES},
    },
)
