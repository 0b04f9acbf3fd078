"""Gymnasium's own checks, its ways to make environments, and its wrappers, on ours."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector as wrappers

import manyworlds

MODES = list(AutoresetMode)
VERSION = tuple(int(part) for part in gymnasium.__version__.split(".")[:2])


@pytest.mark.parametrize("name", manyworlds.environments())
def test_gymnasium_checks_every_environment(name):
    """`check_env`, whose remarks are those on spaces without bounds."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        env = gymnasium.make(f"manyworlds/{name}")
        if name == "TwoAction":
            # an episode of one step, which the check takes for a mistake
            with pytest.raises(AssertionError, match="truncates after 1 step"):
                check_env(env.unwrapped)
        else:
            check_env(env.unwrapped)
        env.close()
    known = ("minimum value is -infinity", "maximum value is infinity", "symmetric and normalized space")
    assert all(any(word in str(remark.message) for word in known) for remark in remarks), [
        str(r.message) for r in remarks
    ]


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "HexWorld", "Breakout"])
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_spaces_dtypes_and_shapes(name, mode):
    """What Gymnasium's tests ask of a vector environment: batched spaces, arrays of them, flags, infos, repr."""
    n = 5
    envs = gymnasium.make_vec(f"manyworlds/{name}", num_envs=n, autoreset=mode)
    assert isinstance(envs, manyworlds.VectorEnv) and isinstance(envs, gymnasium.vector.VectorEnv)
    assert envs.metadata["autoreset_mode"] is mode and envs.render_mode is None
    assert envs.num_envs == n and envs.unwrapped is envs and not envs.closed
    assert envs.observation_space == gymnasium.vector.utils.batch_space(envs.single_observation_space, n)
    assert envs.action_space == gymnasium.vector.utils.batch_space(envs.single_action_space, n)
    assert repr(envs) == f"VectorEnv({name}, num_envs={n})"
    observations, infos = envs.reset(seed=1)
    assert observations in envs.observation_space and isinstance(infos, dict)
    envs.action_space.seed(0)
    for _ in range(3):
        observations, rewards, terminations, truncations, infos = envs.step(envs.action_space.sample())
        assert isinstance(observations, np.ndarray) and observations in envs.observation_space
        assert observations.dtype == envs.observation_space.dtype
        assert (
            isinstance(rewards, np.ndarray) and isinstance(rewards[0], (float, np.floating)) and rewards.shape == (n,)
        )
        for flags in (terminations, truncations):
            assert isinstance(flags, np.ndarray) and flags.dtype == np.bool_ and flags.shape == (n,)
        assert isinstance(infos, dict)
        if mode is AutoresetMode.DISABLED and (terminations | truncations).any():
            envs.reset(options={"reset_mask": terminations | truncations})
    envs.close()
    envs.close()
    assert envs.closed
    with pytest.raises(manyworlds.Error):
        envs.reset()


def test_actions_of_the_single_space_in_a_list(worlds):
    envs = worlds("CartPole-v1", 8)
    envs.reset()
    observations, *_ = envs.step([envs.single_action_space.sample() for _ in range(8)])
    assert observations in envs.observation_space


def test_action_spaces_draw_by_their_seed(worlds):
    first, second = worlds("CartPole-v1", 3), worlds("CartPole-v1", 3)
    first.action_space.seed(4)
    second.action_space.seed(4)
    for _ in range(20):
        assert np.array_equal(first.action_space.sample(), second.action_space.sample())


@pytest.mark.parametrize("mode", [*MODES, *(mode.value for mode in MODES), "same-step", "next-step", "disabled"])
def test_autoreset_is_named_as_gymnasium_does_or_in_words(worlds, mode):
    envs = worlds("CartPole-v1", 2, autoreset=mode)
    assert isinstance(envs.metadata["autoreset_mode"], AutoresetMode)


def test_metadata_is_of_one_environment(worlds):
    first, second = worlds("CartPole-v1", 1, autoreset="same-step"), worlds("CartPole-v1", 1, autoreset="disabled")
    assert first.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP is not second.metadata["autoreset_mode"]
    assert "autoreset_mode" not in manyworlds.VectorEnv.metadata


def test_infos_where_several_worlds_end_at_once(worlds):
    """Worlds in one state under one action end together; the others have None, and are left out of the mask."""
    for together in (1, 2, 3):
        envs = worlds("CartPole-v1", 3)
        envs.reset()
        envs.states = np.zeros((3, 4))
        actions = [0] * together + [1] * (3 - together)
        envs.states = [[-0.1, 0, 0, 0]] * together + [[0, 0, -0.2, 0]] * (3 - together)
        for _ in range(20):
            infos = envs.step(actions)[4]
            if infos:
                break
        assert infos.keys() == {"final_obs", "_final_obs", "final_info", "_final_info"}
        for world, ended in enumerate(infos["_final_obs"]):
            assert (infos["final_obs"][world] is not None) == ended
            assert not ended or infos["final_obs"][world] in envs.single_observation_space
        assert infos["final_info"] == {} and np.array_equal(infos["_final_info"], infos["_final_obs"])
        assert len(set(infos["_final_obs"][:together])) == 1


# Making


def test_make_vec_takes_what_the_constructor_takes():
    envs = gymnasium.make_vec("manyworlds/CartPole-v1", num_envs=3, seed=5, autoreset="next-step", gravity=3.7)
    assert envs.env.overrides["gravity"] == pytest.approx(3.7)
    assert np.array_equal(envs.reset()[0], manyworlds.VectorEnv("CartPole-v1", 3, 5, gravity=3.7).reset()[0])
    assert envs.spec.id == "manyworlds/CartPole-v1"
    again = gymnasium.make_vec(envs.spec)
    assert again.num_envs == 3 and again.metadata == envs.metadata and again.env.overrides == envs.env.overrides


def test_make_vec_has_one_world_without_a_number():
    assert gymnasium.make_vec("manyworlds/CartPole-v1").num_envs == 1


def test_gymnasiums_own_vector_environments_take_single_worlds():
    """They are slow like this; they work."""
    envs = gymnasium.make_vec("manyworlds/CartPole-v1", num_envs=2, vectorization_mode="sync")
    observations, _ = envs.reset(seed=3)
    assert observations.shape == (2, 4) and (observations[0] != observations[1]).all()
    envs.step([0, 1])
    envs.close()


def test_make_has_gymnasiums_order_checks():
    env = gymnasium.make("manyworlds/CartPole-v1")
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    env.reset(seed=1)
    assert env.step(0)[1] == 1.0
    assert env.spec.reward_threshold == 475
    env.close()


def test_one_world_is_that_of_many(worlds):
    env, envs = manyworlds.Env("CartPole-v1"), worlds("CartPole-v1", 2, seed=7)
    assert np.array_equal(env.reset(seed=7)[0], envs.reset()[0][0])
    for step in range(200):
        observation, reward, terminated, truncated, info = env.step(step % 2)
        expected = envs.step([step % 2] * 2)
        assert (type(reward), type(terminated), type(truncated), info) == (float, bool, bool, {})
        assert (reward, terminated, truncated) == (expected[1][0], expected[2][0], expected[3][0])
        if terminated:
            assert np.array_equal(observation, expected[4]["final_obs"][0])
            with pytest.raises(manyworlds.Error, match="the episode has ended: call reset"):
                env.step(0)
            assert np.array_equal(env.reset()[0], expected[0][0])
            break
        assert np.array_equal(observation, expected[0][0])
    assert terminated
    env.close()


def test_a_time_limit_of_gymnasium_around_one_world():
    env = gymnasium.make("manyworlds/Pendulum-v1", max_episode_steps=5)
    env.reset(seed=1)
    assert [env.step(np.zeros(1, np.float32))[3] for _ in range(5)] == [False] * 4 + [True]
    env.reset()
    env.close()


def test_registering_twice_changes_nothing():
    before = dict(gymnasium.registry)
    from manyworlds.registration import register

    register()
    assert gymnasium.registry == before
    assert {f"manyworlds/{name}" for name in manyworlds.environments()} <= set(gymnasium.registry)


# Wrappers


def episodes(envs, steps):
    """Steps with true lengths and returns of episodes, counted here."""
    n = envs.num_envs
    mode = envs.metadata["autoreset_mode"]
    lengths, returns, ended = np.zeros(n, int), np.zeros(n), np.zeros(n, bool)
    envs.reset(seed=2)
    for step in range(steps):
        x = envs.step(np.full(n, step % 3 == 0, int))
        counted = ~ended if mode is AutoresetMode.NEXT_STEP else np.ones(n, bool)
        lengths += counted
        returns += counted * x[1]
        ended = x[2] | x[3]
        yield x[4], ended, lengths.copy(), returns.copy()
        lengths[ended] = returns[ended] = 0
        if mode is AutoresetMode.DISABLED and ended.any():
            envs.reset(options={"reset_mask": ended.copy()})


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_record_episode_statistics(worlds, mode):
    if mode is AutoresetMode.SAME_STEP and VERSION < (1, 4):
        pytest.skip("before 1.4 Gymnasium's RecordEpisodeStatistics leaves out the first step after a same-step reset")
    envs = wrappers.RecordEpisodeStatistics(worlds("CartPole-v1", 6, autoreset=mode))
    count = 0
    for infos, ended, lengths, returns in episodes(envs, 120):
        assert ("episode" in infos) == ended.any()
        if ended.any():
            count += ended.sum()
            assert np.array_equal(infos["_episode"], ended)
            assert np.array_equal(infos["episode"]["l"][ended], lengths[ended])
            assert np.array_equal(infos["episode"]["r"][ended], returns[ended])
    assert count > 20 and envs.episode_count == count


def test_dict_info_to_list(worlds):
    envs = wrappers.DictInfoToList(worlds("CartPole-v1", 4, autoreset="same-step"))
    envs.reset(seed=1)
    ends = 0
    for _ in range(40):
        observations, _, terminations, truncations, infos = envs.step(np.zeros(4, int))
        assert isinstance(infos, list) and len(infos) == 4
        for world, info in enumerate(infos):
            if terminations[world] or truncations[world]:
                ends += 1
                assert info["final_obs"] in envs.single_observation_space
            else:
                assert info == {}
    assert ends > 8


def test_normalize_observation_is_for_next_step(worlds):
    """Gymnasium's running mean works with next-step autoreset, and refuses same-step by itself."""
    envs = wrappers.NormalizeObservation(worlds("CartPole-v1", 64, seed=1, autoreset="next-step"))
    observations, _ = envs.reset()
    kept, copies = [], []
    for step in range(50):
        observations, *_ = envs.step(np.full(64, step % 2))
        kept.append(observations)
        copies.append(observations.copy())
    assert all(np.array_equal(a, b) for a, b in zip(kept, copies))
    assert np.abs(np.mean(np.concatenate(kept[25:]), axis=0)).max() < 1
    with pytest.raises((AssertionError, ValueError)):
        wrappers.NormalizeObservation(worlds("CartPole-v1", 2, autoreset="same-step"))


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_wrappers_that_change_rewards_actions_and_observations(worlds, mode):
    envs = worlds("Pendulum-v1", 3, seed=1, autoreset=mode)
    wrapped = wrappers.ClipReward(wrappers.ClipAction(envs), -1, 0)
    wrapped = wrappers.NormalizeReward(wrapped)
    wrapped.reset(seed=1)
    for _ in range(5):
        observations, rewards, *_ = wrapped.step(np.full((3, 1), 99, np.float32))
    assert observations.shape == (3, 3) and np.isfinite(rewards).all()
    assert repr(wrapped).count("VectorEnv(Pendulum-v1, num_envs=3)") == 1
    wrapped.close()
    assert envs.closed


def test_transform_observation(worlds):
    """Gymnasium's wrappers of observations, which refuse same-step autoreset by themselves."""
    wrapper = gymnasium.wrappers.TransformObservation
    space = worlds("CartPole-v1").single_observation_space
    doubled = {"func": lambda observation: observation * 2, "observation_space": space}
    plain = worlds("CartPole-v1", 2, autoreset="next-step")
    envs = wrappers.VectorizeTransformObservation(worlds("CartPole-v1", 2, autoreset="next-step"), wrapper, **doubled)
    assert np.array_equal(envs.reset(seed=1)[0], plain.reset(seed=1)[0] * 2)
    for _ in range(30):
        assert np.array_equal(envs.step([0, 0])[0], plain.step([0, 0])[0] * 2)
    with pytest.raises((AssertionError, ValueError)):
        wrappers.VectorizeTransformObservation(worlds("CartPole-v1", 2, autoreset="same-step"), wrapper, **doubled)


def test_numpy_to_torch(worlds):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("array_api_compat", reason="Gymnasium's array conversion is not installed")
    envs = wrappers.NumpyToTorch(worlds("CartPole-v1", 4, seed=1))
    observations, _ = envs.reset()
    assert isinstance(observations, torch.Tensor)
    observations, rewards, terminations, *_ = envs.step(torch.zeros(4, dtype=torch.int64))
    assert observations.shape == (4, 4) and rewards.dtype == torch.float32 and terminations.dtype == torch.bool


def test_same_steps_have_equal_data(worlds):
    first, second = worlds("CartPole-v1", 6, seed=3), worlds("CartPole-v1", 6, seed=3)
    assert data_equivalence(first.reset(), second.reset())
    for step in range(40):
        actions = np.full(6, step % 3 == 0, int)
        assert data_equivalence(first.step(actions), second.step(actions))
