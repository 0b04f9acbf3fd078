"""Stable-Baselines3: what its `VecEnv` promises, under its own wrappers, and a learner that solves CartPole."""

import numpy as np
import pytest
from conftest import MASKED

import manyworlds

sb3 = pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed")
from stable_baselines3.common.monitor import Monitor  # noqa: E402
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize, is_vecenv_wrapped  # noqa: E402


@pytest.fixture
def make():
    made = []

    def of(*arguments, **named):
        made.append(manyworlds.Sb3VecEnv(*arguments, **named))
        return made[-1]

    yield of
    for envs in made:
        envs.close()


def test_steps_are_those_of_the_vector_environment(make, worlds):
    """Observations, rewards and ends as of the same worlds; infos where episodes end, and nowhere else."""
    n, limit = 33, 20
    envs, same = (
        make("CartPole-v1", n, seed=3, MAX_EPISODE_STEPS=limit),
        worlds("CartPole-v1", n, 3, MAX_EPISODE_STEPS=limit),
    )
    assert np.array_equal(envs.reset(), same.reset()[0])
    random = np.random.default_rng(0)
    returns, lengths, seen = np.zeros(n), np.zeros(n, int), {True: 0, False: 0}
    for _ in range(60):
        actions = random.integers(2, size=n)
        observations, rewards, dones, infos = envs.step(actions)
        expected = same.step(actions)
        assert np.array_equal(observations, expected[0]) and np.array_equal(rewards, expected[1])
        assert rewards.dtype == np.float32 and dones.dtype == np.bool_
        assert np.array_equal(dones, expected[2] | expected[3])
        assert isinstance(infos, list) and len(infos) == n
        returns += rewards
        lengths += 1
        for world, info in enumerate(infos):
            if not dones[world]:
                assert info == {}
                continue
            limited = bool(expected[3][world] and not expected[2][world])
            seen[limited] += 1
            assert info["TimeLimit.truncated"] is limited
            assert np.array_equal(info["terminal_observation"], expected[4]["final_obs"][world])
            assert info["episode"]["r"] == returns[world] and info["episode"]["l"] == lengths[world]
            returns[world] = lengths[world] = 0
    assert min(seen.values()) > 5, seen


def test_infos_of_worlds_are_apart(make):
    envs = make("CartPole-v1", 3, seed=1)
    envs.reset()
    infos = envs.step(np.zeros(3, int))[3]
    infos[0]["mine"] = 1
    assert infos[1] == {} and envs.step(np.zeros(3, int))[3] == [{}, {}, {}]
    assert envs.reset_infos == [{}, {}, {}]


def test_both_ends_at_once_are_no_time_limit(make, worlds):
    """A pole that falls in the very step that reaches the limit has fallen: its value is not bootstrapped."""
    envs, same = (of("CartPole-v1", 64, seed=1, MAX_EPISODE_STEPS=9) for of in (make, worlds))
    envs.reset()
    same.reset()
    both = 0
    for _ in range(9):
        _, _, dones, infos = envs.step(np.zeros(64, int))
        _, _, terminations, truncations, _ = same.step(np.zeros(64, int))
        for world in np.flatnonzero(terminations & truncations):
            both += 1
            assert dones[world] and infos[world]["TimeLimit.truncated"] is False
    assert both > 5


def test_seed_counts_from_the_next_reset(make, worlds):
    envs = make("CartPole-v1", 4, seed=1)
    first = envs.reset()
    assert not np.array_equal(envs.reset(), first)
    assert envs.seed(1) == [1, 1, 1, 1]
    assert np.array_equal(envs.reset(), first)
    assert np.array_equal(first, worlds("CartPole-v1", 4, seed=1).reset()[0])
    assert len(set(envs.seed())) == 1
    with pytest.raises(manyworlds.Error, match="seed: -1"):
        envs.seed(-1)


def test_attributes(make):
    envs = make("CartPole-v1", 3, seed=1)
    assert envs.get_attr("num_envs") == [3, 3, 3] and envs.get_attr("render_mode", 1) == [None]
    envs.set_attr("level", 7, indices=[0, 2])
    assert envs.get_attr("level") == [7, None, 7]
    assert not envs.has_attr("nothing_of_this_name")
    with pytest.raises(AttributeError, match="CartPole-v1 have no attribute 'nothing'"):
        envs.env_method("nothing")
    assert envs.env_is_wrapped(Monitor, [0, 1]) == [True, True]
    assert envs.env_is_wrapped(VecMonitor) == [False] * 3
    assert repr(envs) == "Sb3VecEnv(CartPole-v1, num_envs=3)"


def test_action_masks_as_sb3_contrib_asks_for_them(make):
    envs = make(manyworlds.Environment.from_source(MASKED, "masked"), 2, seed=1)
    envs.reset()
    assert envs.has_attr("action_masks")
    assert np.array_equal(np.stack(envs.env_method("action_masks")), [[True, True, True]] * 2)
    envs.step(np.array([0, 2]))
    assert np.array_equal(np.stack(envs.env_method("action_masks")), [[False, True, True], [True, True, False]])


def test_options_are_refused(make):
    envs = make("CartPole-v1", 2)
    envs.set_options({"gravity": 1})
    with pytest.raises(manyworlds.Error, match="constructor"):
        envs.reset()


def test_under_vec_normalize(make):
    envs = VecNormalize(make("CartPole-v1", 16, seed=1, MAX_EPISODE_STEPS=30))
    envs.reset()
    for step in range(60):
        observations, rewards, dones, infos = envs.step(np.full(16, step % 2))
        original = envs.get_original_obs()
        for world in np.flatnonzero(dones):
            final = envs.unnormalize_obs(infos[world]["terminal_observation"])
            assert np.abs(final - original[world]).max() > 0
    assert np.allclose(envs.unnormalize_obs(observations), original, atol=1e-5)
    assert envs.obs_rms.count > 900


@pytest.mark.filterwarnings("ignore:The environment is already wrapped")
def test_under_vec_monitor(make, tmp_path):
    """VecMonitor tells of the same episodes as the worlds themselves."""
    plain, envs = (
        make("CartPole-v1", 8, seed=1),
        VecMonitor(make("CartPole-v1", 8, seed=1), str(tmp_path / "monitor.csv")),
    )
    assert is_vecenv_wrapped(envs, VecMonitor)
    plain.reset()
    envs.reset()
    ended = 0
    for step in range(80):
        actions = np.full(8, step % 3 == 0, int)
        theirs, ours = envs.step(actions)[3], plain.step(actions)[3]
        for mine, its in zip(ours, theirs):
            assert mine.keys() == its.keys()
            if "episode" in mine:
                ended += 1
                assert (mine["episode"]["r"], mine["episode"]["l"]) == (its["episode"]["r"], its["episode"]["l"])
    envs.close()
    assert ended > 5 and len((tmp_path / "monitor.csv").read_text().splitlines()) == ended + 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")
def test_every_kind_of_algorithm_learns_a_little(make):
    for algorithm, env in (
        ("PPO", "Acrobot-v1"),
        ("A2C", "Pendulum-v1"),
        ("DQN", "CartPole-v1"),
        ("SAC", "Pendulum-v1"),
    ):
        settings = {"n_steps": 8} if algorithm in ("PPO", "A2C") else {"learning_starts": 32}
        model = getattr(sb3, algorithm)("MlpPolicy", make(env, 4), device="cpu", seed=1, **settings)
        model.learn(128)
        assert model.num_timesteps >= 128


def ppo(envs, seed):
    """The settings of RL Zoo for CartPole, with as many samples and minibatches an update but more worlds."""
    return sb3.PPO(
        "MlpPolicy", envs, n_steps=32, batch_size=256, n_epochs=20, gamma=0.98, gae_lambda=0.8, learning_rate=1e-3,
        clip_range=0.2, device="cpu", seed=seed,
    )  # fmt: skip


@pytest.mark.slow
def test_ppo_solves_cart_pole(make):
    """PPO of Stable-Baselines3 reaches 475 over 100 episodes."""
    import torch
    from stable_baselines3.common.evaluation import evaluate_policy

    # small networks: threads of PyTorch would wait for each other
    torch.set_num_threads(1)
    model = ppo(make("CartPole-v1", 32, seed=1), seed=1)
    model.learn(100_000)
    mean, _ = evaluate_policy(model, make("CartPole-v1", 100, seed=2), n_eval_episodes=100)
    assert mean >= 475, mean
