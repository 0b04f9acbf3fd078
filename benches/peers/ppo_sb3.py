"""PPO of Stable-Baselines3 on CartPole-v1 with its own defaults, eight environments in one process."""

import time
import warnings

warnings.filterwarnings("ignore")

import gymnasium
import stable_baselines3
from peer import arguments, measure
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv


def main():
    a = arguments(__doc__, env="CartPole-v1", num_envs=8, num_steps=256)
    began = time.perf_counter()
    worlds = DummyVecEnv([lambda: gymnasium.make(a.env)] * a.num_envs)
    model = PPO("MlpPolicy", worlds, n_steps=a.num_steps, device="auto", seed=1)
    setup_s = time.perf_counter() - began
    steps = a.num_envs * a.num_steps
    measure(
        lambda: model.learn(steps, reset_num_timesteps=False), steps, a.seconds, setup_s, peer="sb3", mode="train",
        env=a.env, num_envs=a.num_envs, num_steps=a.num_steps, device=str(model.device),
        version=f"stable-baselines3 {stable_baselines3.__version__}",
    )  # fmt: skip


main()
