"""Generations of evosax's Open_ES on gymnax: a population of tanh networks plays an episode each."""

import time
from importlib.metadata import version

import jax
import jax.numpy as jnp
import optax
from evosax.algorithms import Open_ES
from evosax.problems import GymnaxProblem
from evosax.problems.networks import MLP, categorical_output_fn
from peer import arguments, measure


def main():
    a = arguments(__doc__, env="CartPole-v1", population=1024, num_steps=500, net="16,16")
    key = jax.random.key(0)
    policy = MLP(layer_sizes=(*map(int, a.net.split(",")), 2), output_fn=categorical_output_fn)
    problem = GymnaxProblem(a.env, policy, episode_length=a.num_steps, use_normalize_obs=False)
    of_problem, solution = problem.init(key), problem.sample(key)
    strategy = Open_ES(
        population_size=a.population, solution=solution, optimizer=optax.adam(0.05),
        std_schedule=optax.constant_schedule(0.1),
    )  # fmt: skip
    parameters = strategy.default_params

    @jax.jit
    def generation(key, state, of_problem):
        of_ask, of_eval, of_tell = jax.random.split(key, 3)
        population, state = strategy.ask(of_ask, state, parameters)
        fitness, of_problem, _ = problem.eval(of_eval, population, of_problem)
        state, _ = strategy.tell(of_tell, population, -fitness, state, parameters)
        return state, of_problem, jnp.mean(fitness)

    state = strategy.init(key, solution, parameters)
    began = time.perf_counter()
    compiled = generation.lower(key, state, of_problem).compile()
    setup_s = time.perf_counter() - began
    measure(
        lambda: jax.block_until_ready(compiled(key, state, of_problem)), a.population * a.num_steps, a.seconds, setup_s,
        peer="evosax", mode="search", env=a.env, population=a.population, num_steps=a.num_steps, net=a.net,
        device=jax.devices()[0].device_kind, version=f"evosax {version('evosax')}, jax {jax.__version__}",
    )  # fmt: skip


if __name__ == "__main__":
    main()
