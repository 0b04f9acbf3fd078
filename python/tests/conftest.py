"""What tests share: programs in a process of their own, and the worlds that they compare."""

import os
import pathlib
import subprocess
import sys

import pytest

import manyworlds

PACKAGE = pathlib.Path(manyworlds.__file__).parent.parent

# an environment that says which of three actions are allowed
MASKED = """
const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 3u;
const MAX_EPISODE_STEPS: u32 = 6u;
struct State { at: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(1.0); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    (*s).at += f32(action) - 1.0;
    return Outcome(0.0, false);
}
fn env_observe(s: State) -> Observation { return Observation(s.at); }
fn env_action_mask(s: State) -> ActionMask { return ActionMask(s.at > 0.0, true, s.at < 2.0); }
"""


def python(program, *arguments, timeout=120):
    """Runs a program in a process of its own: what it printed. A crash, a panic, an error or a hang is a failure."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(PACKAGE), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-X", "faulthandler", "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment)
    assert done.returncode == 0, f"it ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "panicked" not in done.stderr, done.stderr
    return done.stdout


@pytest.fixture(name="python")
def fixture_python():
    return python


@pytest.fixture
def worlds():
    """Makes environments that are closed after the test."""
    made = []

    def make(*arguments, **named):
        made.append(manyworlds.VectorEnv(*arguments, **named))
        return made[-1]

    yield make
    for envs in made:
        envs.close()
