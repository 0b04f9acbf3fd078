"""Proximal policy optimisation in PyTorch on rollouts that Manyworlds makes: python ppo_torch.py

The device plays CartPole-v1 and computes advantages; PyTorch learns. Some seconds on two cores.
"""

import time

import torch
from manyworlds import Policy, Rollout

WORLDS, STEPS, UPDATES, EPOCHS, MINIBATCH, CLIP = 256, 64, 25, 4, 1024, 0.2


def learn(seed: int = 1) -> Policy:
    """A policy that solves CartPole-v1."""
    torch.manual_seed(seed)
    policy = Policy.untrained("CartPole-v1", seed=seed, hidden=[64, 64])
    module = policy.to_torch()
    optimizer = torch.optim.Adam(module.parameters(), lr=2.5e-3, eps=1e-5)
    rollout = Rollout(policy, num_envs=WORLDS, num_steps=STEPS, seed=seed)
    started = time.monotonic()
    for update in range(UPDATES):
        batch = rollout.collect(gamma=0.99, gae_lambda=0.95)  # arrays [steps, worlds, ...]
        observations = torch.from_numpy(batch.observations).flatten(0, 1)
        actions = torch.from_numpy(batch.actions).flatten()
        old_log_probs, advantages, returns = (
            torch.from_numpy(of).flatten() for of in (batch.log_probs, batch.advantages, batch.returns)
        )
        optimizer.param_groups[0]["lr"] = 2.5e-3 * (1 - update / UPDATES)
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(actions)).split(MINIBATCH):
                distribution = module.distribution(observations[rows])
                ratio = (distribution.log_prob(actions[rows]) - old_log_probs[rows]).exp()
                advantage = advantages[rows]
                advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
                policy_loss = -torch.min(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
                value_loss = 0.5 * (module.values(observations[rows]) - returns[rows]).square().mean()
                loss = policy_loss + 0.5 * value_loss - 0.01 * distribution.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(module.parameters(), 0.5)
                optimizer.step()
        policy.load_torch(module)
        rollout.set_policy(policy)
        if update % 5 == 4:
            ended = int((batch.terminations | batch.truncations).sum())
            length = batch.rewards.sum() / max(ended, 1)
            print(f"update {update + 1}, {time.monotonic() - started:.1f} s: {length:.0f} steps an episode")
    return policy


if __name__ == "__main__":
    print(learn().evaluate(episodes=200))
