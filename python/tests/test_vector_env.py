"""Many worlds step by step: against Gymnasium's own vector environment, against themselves, and what is kept."""

import inspect

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.classic_control import CartPoleEnv
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit

import manyworlds

MODES = list(AutoresetMode)


class PutCartPole(CartPoleEnv):
    """Gymnasium's cart whose episodes begin in the states that they are given."""

    def __init__(self):
        super().__init__()
        self.next = None

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        assert self.next is not None, "an episode began that began in none of our worlds"
        self.state, self.next = self.next, None
        return np.array(self.state, np.float32), {}


class Theirs:
    """Gymnasium's `SyncVectorEnv` of real carts whose episodes begin where those of our worlds do."""

    def __init__(self, num_envs, mode, limit):
        self.carts = []

        def make():
            self.carts.append(PutCartPole())
            return TimeLimit(self.carts[-1], limit)

        self.envs = SyncVectorEnv([make for _ in range(num_envs)], autoreset_mode=mode)

    def begin(self, worlds, states):
        """Says in which states the next episodes of some worlds begin."""
        for world in np.flatnonzero(worlds):
            self.carts[world].next = tuple(states[world])

    def go_on(self, worlds, states):
        """Puts carts where our worlds are: an upright pole multiplies a rounding a thousandfold in two seconds."""
        for world in np.flatnonzero(worlds):
            self.carts[world].state = tuple(states[world])


def actions_of(observations, random, balanced):
    """Random actions, but of some worlds those of a controller that holds the pole and the cart."""
    x, v, angle, turn = observations.T
    held = (angle + 0.3 * turn + 0.03 * x + 0.06 * v > 0).astype(np.int64)
    return np.where(balanced, held, random.integers(2, size=len(observations)))


def assert_same_form(ours, theirs, where):
    """The same types, shapes and values, floats apart: NumPy's, None and dictionaries, however deep."""
    assert type(ours) is type(theirs), f"{where}: {type(ours)} and {type(theirs)}"
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), f"{where}: {ours.keys()} and {theirs.keys()}"
        for name in ours:
            assert_same_form(ours[name], theirs[name], f"{where}[{name!r}]")
    elif isinstance(ours, np.ndarray):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), f"{where}: {ours.dtype} {ours.shape}"
        if ours.dtype == object:
            for index in range(len(ours)):
                assert_same_form(ours[index], theirs[index], f"{where}[{index}]")
        elif ours.dtype.kind == "f":
            assert np.abs(ours - theirs).max(initial=0) < 1e-4, where
        else:
            assert np.array_equal(ours, theirs), where
    else:
        assert ours == theirs, where


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_steps_are_those_of_the_sync_vector_env(worlds, mode):
    """600 steps of carts under random actions and under a controller, through falls, limits and resets."""
    n, steps = 24, 600
    ours, theirs = worlds("CartPole-v1", n, seed=11, autoreset=mode), Theirs(n, mode, 500)
    random, balanced = np.random.default_rng(5), np.arange(n) % 4 == 0

    observations, infos = ours.reset()
    theirs.begin(np.ones(n, bool), ours.states)
    expected, expected_infos = theirs.envs.reset()
    assert_same_form(observations, expected, "the first observations")
    assert_same_form(infos, expected_infos, "the first infos")

    ended = np.zeros(n, bool)
    fallen = limited = 0
    for step in range(steps):
        where = f"step {step}"
        theirs.go_on((balanced | (step % 25 == 0)) & ~ended, ours.states)
        actions = actions_of(observations, random, balanced)
        observations, rewards, terminations, truncations, infos = ours.step(actions)
        dones = terminations | truncations
        if mode is not AutoresetMode.DISABLED:
            theirs.begin(dones if mode is AutoresetMode.SAME_STEP else ended, ours.states)
        expected = theirs.envs.step(actions)
        assert_same_form(observations, expected[0], f"{where}: observations")
        assert rewards.dtype == np.float32 and np.array_equal(rewards, expected[1]), f"{where}: rewards"
        assert_same_form(terminations, expected[2], f"{where}: terminations")
        assert_same_form(truncations, expected[3], f"{where}: truncations")
        assert_same_form(infos, expected[4], f"{where}: infos")
        fallen += terminations.sum()
        limited += truncations.sum()
        ended = dones
        if mode is AutoresetMode.DISABLED and dones.any():
            observations, infos = ours.reset(options={"reset_mask": dones})
            theirs.begin(dones, ours.states)
            expected, expected_infos = theirs.envs.reset(options={"reset_mask": dones})
            assert_same_form(observations, expected, f"{where}: observations after a reset")
            assert_same_form(infos, expected_infos, f"{where}: infos of a reset")
            ended = np.zeros(n, bool)
    assert fallen > 100 and limited >= balanced.sum(), (fallen, limited)


def test_a_fall_in_the_last_step_is_both(worlds):
    """Where the pole falls in the step that reaches the limit, both are true, as under Gymnasium's TimeLimit."""
    n, limit = 64, 9
    ours, theirs = worlds("CartPole-v1", n, seed=2, MAX_EPISODE_STEPS=limit), Theirs(n, AutoresetMode.SAME_STEP, limit)
    ours.reset()
    theirs.begin(np.ones(n, bool), ours.states)
    theirs.envs.reset()
    for _ in range(limit):
        _, _, terminations, truncations, _ = ours.step(np.zeros(n, int))
        theirs.begin(terminations | truncations, ours.states)
        expected = theirs.envs.step(np.zeros(n, int))
        assert np.array_equal(terminations, expected[2]) and np.array_equal(truncations, expected[3])
    assert (terminations & truncations).sum() > 5


def test_signatures_are_those_of_the_vector_env():
    for method in ("reset", "step", "close"):
        theirs = inspect.signature(getattr(gymnasium.vector.VectorEnv, method)).parameters
        ours = inspect.signature(getattr(manyworlds.VectorEnv, method)).parameters
        assert [(name, of.kind) for name, of in ours.items()] == [(name, of.kind) for name, of in theirs.items()]


# Seeds


def played(envs, steps=40, salt=0):
    """Every array of some steps under actions that depend on world and step alone."""
    seen = [envs.reset()[0].copy()]
    for step in range(steps):
        actions = (np.arange(envs.num_envs) * 7 + step * 3 + salt) // 5 % 2
        seen += [array.copy() for array in envs.step(actions)[:4]]
    return seen


def test_reset_with_a_seed_begins_what_new_worlds_with_it_begin(worlds):
    first, second = worlds("CartPole-v1", 9, seed=5), worlds("CartPole-v1", 9, seed=77)
    fresh = played(first)
    played(second)
    second.reset(seed=5)
    assert second.np_random_seed == 5
    again = worlds("CartPole-v1", 9, seed=77)
    again.reset(seed=5)
    for a, b in zip(fresh[1:], played_on(second), strict=True):
        assert np.array_equal(a, b)
    assert np.array_equal(again.reset(seed=5)[0], fresh[0])


def played_on(envs):
    """As `played`, from where worlds are."""
    seen = []
    for step in range(40):
        actions = (np.arange(envs.num_envs) * 7 + step * 3) // 5 % 2
        seen += [array.copy() for array in envs.step(actions)[:4]]
    return seen


def test_a_world_does_not_depend_on_how_many_there_are(worlds):
    few, many = played(worlds("CartPole-v1", 3, seed=8)), played(worlds("CartPole-v1", 700, seed=8))
    for a, b in zip(few, many, strict=True):
        assert np.array_equal(a, b[:3])


def test_seeds_differ_and_none_is_random(worlds):
    firsts = [worlds("CartPole-v1", 2, seed=seed).reset()[0].tobytes() for seed in (0, 1, 2**32 - 1, None, None)]
    assert len(set(firsts)) == 5


def test_reset_without_a_seed_goes_on(worlds):
    """The first reset gives the first episodes, every later one the next of each world; a step counts as begun."""
    envs = worlds("CartPole-v1", 4, seed=3)
    first = envs.reset()[0]
    second = envs.reset()[0]
    assert (first != second).any(axis=1).all()
    envs.reset(seed=3)
    assert np.array_equal(envs.reset()[0], second)
    stepped = worlds("CartPole-v1", 4, seed=3)
    stepped.step(np.zeros(4, int))
    assert np.abs(stepped.reset()[0]).max() <= 0.05


def test_reset_mask_leaves_the_others_as_they_are(worlds):
    envs = worlds("CartPole-v1", 6, seed=3, autoreset="disabled")
    envs.reset()
    before = envs.step(np.zeros(6, int))[0]
    mask = np.array([True, False, True, False, False, False])
    options = {"reset_mask": mask}
    after = envs.reset(options=options)[0]
    assert np.array_equal(after[~mask], before[~mask]) and (after[mask] != before[mask]).all()
    assert list(options) == ["reset_mask"], "the caller's options were changed"


FALLING, UPRIGHT = [0, 0, 0.2, 3], [0, 0, 0, 0]


@pytest.mark.parametrize("mode", ["next-step", "disabled"])
def test_reset_mask_leaves_the_endings_of_the_others(worlds, mode):
    """Worlds whose episode has ended are still to be reset, whichever others were."""
    envs, actions = worlds("CartPole-v1", 5, seed=3, autoreset=mode), np.zeros(5, int)
    envs.reset()
    envs.states = [UPRIGHT, FALLING, UPRIGHT, FALLING, FALLING]
    assert envs.step(actions)[2].tolist() == [False, True, False, True, True]
    envs.reset(options={"reset_mask": np.array([True, False, False, False, True])})
    if mode == "disabled":
        with pytest.raises(manyworlds.Error, match="the episode of world 1 has ended"):
            envs.step(actions)
        envs.reset(options={"reset_mask": np.array([False, True, False, False, False])})
        with pytest.raises(manyworlds.Error, match="the episode of world 3 has ended"):
            envs.step(actions)
        envs.reset(options={"reset_mask": np.array([False, False, False, True, False])})
        assert envs.step(actions)[1].tolist() == [1] * 5
        return
    observations, rewards, terminations, truncations, _ = envs.step(actions)
    assert rewards.tolist() == [1, 0, 1, 0, 1]
    assert not terminations.any() and not truncations.any()
    assert np.abs(observations[[1, 3]]).max() <= 0.05, "worlds that have ended were not reset by the step"
    assert envs.step(actions)[1].tolist() == [1] * 5


def test_states_are_what_worlds_go_on_from(worlds):
    envs = worlds("CartPole-v1", 3, seed=1)
    envs.reset()
    state = np.array([[0.5, 0.0, 0.01, 0.0], [0, 0, 0, 0], [-1, 0, 0.1, 0]])
    envs.states = state
    assert np.allclose(envs.states, state, atol=1e-7)
    assert envs.step(np.ones(3, int))[0][1, 1] > 0.1


def test_states_begin_episodes(worlds):
    """The step limit counts from there, and the episodes after it are the worlds' first again."""
    envs = worlds("CartPole-v1", 3, seed=1, MAX_EPISODE_STEPS=3)
    first = envs.reset()[0]
    for _ in range(2):
        envs.step([0] * 3)
        envs.states = np.zeros((3, 4))
        assert [envs.step([step % 2] * 3)[3].all() for step in range(3)] == [False, False, True]
    envs.states = np.zeros((3, 4))
    assert np.array_equal(envs.reset()[0], first)


# What is kept


def address(array):
    return array.__array_interface__["data"][0]


def test_what_is_kept_never_changes(worlds):
    """Every array of 50 steps, views and slices of them, and infos, stay what they were."""
    envs, random = worlds("CartPole-v1", 65, seed=4), np.random.default_rng(0)
    kept = []
    observations, _ = envs.reset()
    kept.append((observations, observations.copy()))
    for _ in range(50):
        observations, rewards, terminations, truncations, infos = envs.step(random.integers(2, size=65))
        for array in (observations[3:5].T, rewards, terminations[::2], truncations, infos.get("_final_obs")):
            if array is not None:
                kept.append((array, array.copy()))
        for final in infos.get("final_obs", []):
            if final is not None:
                kept.append((final, final.copy()))
    for array, copy in kept:
        assert np.array_equal(array, copy)


@pytest.mark.parametrize("how", ["torch", "from_dlpack", "memoryview", "dlpack capsule"])
def test_what_shares_an_array_never_changes(worlds, how):
    if how in ("torch", "from_dlpack"):
        torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    share = {
        "torch": lambda array: torch.from_numpy(array),
        "from_dlpack": lambda array: torch.from_dlpack(array),
        "memoryview": memoryview,
        "dlpack capsule": np.from_dlpack,
    }[how]
    envs = worlds("CartPole-v1", 8, seed=4)
    envs.reset()
    shared = []
    for step in range(12):
        observations = envs.step(np.full(8, step % 2))[0]
        shared.append((share(observations), observations.copy(), address(observations)))
        del observations
    for tensor, copy, _ in shared:
        assert np.array_equal(np.asarray(tensor), copy)
    assert len({at for _, _, at in shared}) == 12
    at = shared[0][2]
    if how in ("torch", "from_dlpack"):
        assert shared[0][0].data_ptr() == at, "it was copied"


def test_what_nobody_holds_is_used_again(worlds):
    """A learner that keeps nothing sees two or three arrays for ever."""
    envs = worlds("CartPole-v1", 4096, seed=4)
    envs.reset()
    actions, addresses = np.zeros(4096, int), set()
    for _ in range(30):
        observations, rewards, *_ = envs.step(actions)
        addresses.add((address(observations), address(rewards)))
    assert len(addresses) <= 4, len(addresses)


def test_arrays_belong_to_whoever_has_them(worlds):
    """They can be written into, and what is written stays."""
    envs = worlds("CartPole-v1", 4, seed=4)
    observations, _ = envs.reset()
    observations[:] = 7
    following = envs.step(np.zeros(4, int))[0]
    assert (observations == 7).all() and np.abs(following).max() < 1


@pytest.mark.parametrize("change", ["flags", "dtype", "shape"])
def test_arrays_that_were_changed_in_form_are_not_used_again(python, change):
    """An array that came back read-only, of another type or shape is no array to write the next step into."""
    line = {"flags": "array.flags.writeable = False", "dtype": "array.dtype = 'i4'", "shape": "array.shape = (2, 8)"}[
        change
    ]
    program = f"""
import numpy as np, manyworlds, warnings
warnings.simplefilter("ignore")
envs = manyworlds.VectorEnv("CartPole-v1", 4, seed=1)
array, _ = envs.reset()
{line}
del array
for _ in range(3):
    array = envs.step([0] * 4)[0]
    assert array.flags.writeable and array.dtype == np.float32 and array.shape == (4, 4), (array.flags, array.dtype)
    del array
"""
    python(program)


# Many steps


@pytest.mark.parametrize("mode", ["same-step", "next-step"])
@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1", "QuadrotorHover"])
def test_step_many_is_so_many_steps(worlds, mode, env):
    """Bit for bit, final observations too, through several lengths and back."""
    n = 19
    one, many, summed = (worlds(env, n, seed=6, autoreset=mode, MAX_EPISODE_STEPS=7) for _ in range(3))
    for envs in (one, many, summed):
        envs.reset()
    random, ended = np.random.default_rng(1), 0
    for k in (1, 12, 5, 12):
        if isinstance(one.single_action_space, gymnasium.spaces.Box):
            actions = random.uniform(-1, 1, (k, *one.action_space.shape)).astype(np.float32)
        else:
            actions = random.integers(2, size=(k, n))
        observations, rewards, terminations, truncations, infos = many.step_many(actions)
        last, sums, any_terminated, any_truncated, sum_infos = summed.step_many(actions, keep="sums")
        steps = [one.step(action) for action in actions]
        for row, name in enumerate(("observations", "rewards", "terminations", "truncations")):
            stacked = np.stack([step[row] for step in steps])
            got = (observations, rewards, terminations, truncations)[row]
            assert got.dtype == stacked.dtype and np.array_equal(got, stacked), f"{name} of {k} steps"
        assert np.array_equal(last, observations[-1])
        assert np.allclose(sums, rewards.sum(axis=0), rtol=1e-6, atol=1e-6)
        assert np.array_equal(any_terminated, terminations.any(axis=0))
        assert np.array_equal(any_truncated, truncations.any(axis=0))
        assert "final_obs" not in sum_infos
        for step, (_, _, _, _, info) in enumerate(steps):
            for world in range(n):
                if info.get("_final_obs", np.zeros(n, bool))[world]:
                    ended += 1
                    assert np.array_equal(infos["final_obs"][step, world], info["final_obs"][world])
                elif "final_obs" in infos:
                    assert infos["final_obs"][step, world] is None and not infos["_final_obs"][step, world]
    assert np.array_equal(one.states, many.states) and np.array_equal(one.states, summed.states)
    assert ended > n if mode == "same-step" else ended == 0


LOOPING = """
const OBSERVATION_DIM: u32 = 1u;
const ACTION_COUNT: u32 = 3u;
const MAX_EPISODE_STEPS: u32 = 5u;
struct State { at: f32 }
fn env_reset(rng: ptr<function, Rng>) -> State { return State(rng_range(rng, -1.0, 1.0)); }
fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome {
    var reward = 0.0;
    for (var i = 0u; i <= action; i += 1u) {
        (*s).at = 0.5 * (*s).at + f32(i);
        reward += (*s).at;
    }
    return Outcome(reward, (*s).at > 2.4);
}
fn env_observe(s: State) -> Observation { return Observation(s.at); }
"""


def test_sums_of_steps_with_loops(worlds):
    """A single choice and same-step autoreset, where sums take a way of their own."""
    env = manyworlds.Environment.from_source(LOOPING, "looping")
    each, summed = (worlds(env, 37, seed=2) for _ in range(2))
    random = np.random.default_rng(3)
    for k in (1, 9, 100):
        actions = random.integers(3, size=(k, 37))
        observations, rewards, terminations, truncations, _ = each.step_many(actions)
        last, sums, terminated, truncated, _ = summed.step_many(actions, keep="sums")
        assert np.array_equal(last, observations[-1])
        assert np.allclose(sums, rewards.sum(axis=0), rtol=1e-5, atol=1e-5)
        assert np.array_equal(terminated, terminations.any(axis=0))
        assert np.array_equal(truncated, truncations.any(axis=0))
    assert terminations.any() and truncations.any()


def test_masks_of_many_steps_are_those_behind_the_last(worlds):
    from test_environment import MASKED

    env = manyworlds.Environment.from_source(MASKED, "masked")
    for keep in ("each", "sums"):
        envs = worlds(env, 2, seed=1)
        infos = envs.step_many([[1, 1], [0, 2]], keep=keep)[4]
        assert infos["action_mask"].tolist() == [[0, 1, 1], [1, 1, 0]], keep


def test_step_many_refuses_what_would_go_on_past_an_end(worlds):
    with pytest.raises(manyworlds.Error, match="disabled"):
        worlds("CartPole-v1", 2, autoreset="disabled").step_many([[0, 0]])
