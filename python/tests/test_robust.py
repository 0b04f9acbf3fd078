"""What is wrong is refused by a text that names it; nothing crashes, hangs or panics."""

import copy
import pickle
import sys
import threading

import numpy as np
import pytest

import manyworlds
from manyworlds.errors import ClosedError, DeviceError, UsageError

GOOD = [0, 1, 0, 1]


@pytest.fixture
def carts(worlds):
    envs = worlds("CartPole-v1", 4, seed=1)
    envs.reset()
    return envs


@pytest.fixture
def pendulums(worlds):
    envs = worlds("Pendulum-v1", 4, seed=1)
    envs.reset()
    return envs


def frozen(array):
    array.flags.writeable = False
    return array


def displaced(array):
    """The same numbers at an address that is no multiple of their size."""
    moved = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    moved[...] = array
    assert not moved.flags.aligned
    return moved


# Actions

CHOICES = {
    "a list": GOOD,
    "a tuple": tuple(GOOD),
    "not contiguous": np.array([0, 9, 1, 9, 0, 9, 1, 9])[::2],
    "backwards": np.array(GOOD[::-1])[::-1],
    "big-endian": np.array(GOOD, ">i4"),
    "read-only": frozen(np.array(GOOD)),
    "not aligned": displaced(np.array(GOOD)),
    "a column's view": np.array([GOOD, GOOD]).T[:, 0],
    **{np.dtype(kind).name: np.array(GOOD, kind) for kind in "bBhHiIlLqQ"},
}


@pytest.mark.parametrize("name", CHOICES)
def test_choices_that_are_taken(carts, worlds, name):
    same = worlds("CartPole-v1", 4, seed=1)
    same.reset()
    assert np.array_equal(carts.step(CHOICES[name])[0], same.step(np.array(GOOD))[0])


@pytest.mark.parametrize(
    "actions, text",
    [
        (np.array(GOOD, float), r"actions are float64, expected an array of integers of shape \[4\] for Discrete\(2\)"),
        (np.array(GOOD, bool), "actions are bool"),
        (np.array(GOOD, complex), "actions are complex128"),
        (np.array(["a"] * 4), "actions are <U1"),
        (np.array(GOOD, object), "actions are object"),
        (None, "actions are object"),
        ({}, "actions are object"),
        ("0101", "actions are <U4"),
        ((action for action in GOOD), "actions are object"),
        ([0, 1], r"shape \[2\], expected \[4\]"),
        ([], r"expected"),
        (1, "expected"),
        ([GOOD], r"shape \[1, 4\], expected \[4\]"),
        (np.zeros((4, 1), int), r"shape \[4, 1\], expected \[4\]"),
        ([[1], [1, 2]], "actions are no array: .*inhomogeneous"),
        ([0, -1, 0, 0], "action of world 1 is -1, which is not one of Discrete"),
        ([0, 0, 0, 2], "action of world 3 is 2"),
        ([2**40, 0, 0, 0], "action of world 0 is 1099511627776"),
        (np.array([2**64 - 1, 0, 0, 0], np.uint64), "18446744073709551615"),
        (np.array([0, 0, -128, 0], np.int8), "action of world 2 is -128"),
    ],
)
def test_choices_that_are_refused(carts, actions, text):
    before = carts.states
    with pytest.raises(UsageError, match=text):
        carts.step(actions)
    assert np.array_equal(carts.states, before), "a refused step has moved the worlds"


NUMBERS = {
    "a list": [[0.5]] * 4,
    "float64": np.full((4, 1), 0.5),
    "float16": np.full((4, 1), 0.5, np.float16),
    "integers": np.ones((4, 1), int),
    "Fortran": np.asfortranarray(np.full((4, 1), 0.5, np.float32)),
    "not contiguous": np.full((8, 1), 0.5, np.float32)[::2],
    "big-endian": np.full((4, 1), 0.5, ">f4"),
    "read-only": frozen(np.full((4, 1), 0.5, np.float32)),
    "not aligned": displaced(np.full((4, 1), 0.5, np.float32)),
    "past the bounds": np.full((4, 1), 99.0),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_are_taken(pendulums, worlds, name):
    same = worlds("Pendulum-v1", 4, seed=1)
    same.reset()
    expected = same.step(np.ascontiguousarray(np.asarray(NUMBERS[name]).astype(np.float32)))
    assert np.array_equal(pendulums.step(NUMBERS[name])[0], expected[0])


def test_several_numbers_in_any_order_of_memory(worlds):
    first, second = worlds("QuadrotorHover", 3, seed=1), worlds("QuadrotorHover", 3, seed=1)
    actions = np.random.default_rng(0).uniform(-1, 1, (3, 4)).astype(np.float32)
    expected = first.step(actions)[0]
    assert np.array_equal(second.step(np.asfortranarray(actions))[0], expected)


@pytest.mark.parametrize(
    "actions, text",
    [
        ([0.5] * 4, r"shape \[4\], expected \[4, 1\]"),
        (np.ones((1, 4), np.float32), r"shape \[1, 4\], expected \[4, 1\]"),
        (np.ones((4, 1), bool), "actions are bool"),
        (np.ones((4, 1), complex), "actions are complex128"),
        (np.full((4, 1), "x"), "actions are <U1"),
        (np.ones((4, 1), object), "actions are object"),
        ([[float("nan")], [0], [0], [0]], "action of world 0 is NaN, which is not a finite number"),
        ([[float("-inf")], [0], [0], [0]], "action of world 0 is -inf"),
        (np.full((4, 1), 1e300), "action of world 0 is inf"),
    ],
)
def test_numbers_that_are_refused(pendulums, actions, text):
    before = pendulums.states
    with pytest.raises(UsageError, match=text):
        pendulums.step(actions)
    assert np.array_equal(pendulums.states, before), "a refused step has moved the worlds"


def test_a_refused_number_is_told_of_its_world(pendulums):
    with pytest.raises(UsageError, match="^action of world 2 is NaN"):
        pendulums.step([[0], [0], [float("nan")], [0]])


def test_steps_of_a_call_have_a_limit(worlds):
    cart = worlds("CartPole-v1", 1)
    with pytest.raises(UsageError, match="4097 is not allowed; it must be from 1 to 4096"):
        cart.step_many(np.zeros((4097, 1), np.uint8))
    assert cart.step_many(np.zeros((4097, 1), np.uint8), keep="sums")[1].tolist() == [4097.0]


def test_a_refused_action_is_told_of_its_step(carts, worlds):
    with pytest.raises(UsageError, match="action of world 3, step 1 is 7"):
        carts.step_many([[0, 0, 0, 0], [0, 0, 0, 7]])
    quadrotors = worlds("QuadrotorHover", 3)
    actions = np.zeros((2, 3, 4))
    actions[1, 2, 3] = np.nan
    with pytest.raises(UsageError, match=r"action\[3\] of world 2, step 1 is NaN"):
        quadrotors.step_many(actions)


@pytest.mark.parametrize("actions", [np.zeros((0, 4), int), GOOD, 1, None, [[0, 0]], np.zeros((2, 3, 4), int)])
def test_many_steps_that_are_refused(carts, actions):
    with pytest.raises(UsageError, match="actions"):
        carts.step_many(actions)
    with pytest.raises(UsageError, match="keep 'all': there are each and sums"):
        carts.step_many([GOOD], keep="all")


# Arguments


LONG = pytest.param(10**5000, id="long")


@pytest.mark.parametrize("count", [0, -1, 2**32, 10**30, LONG, 1.5, "4", None, True, float("nan"), [4]])
def test_numbers_of_worlds_that_are_refused(count):
    with pytest.raises(UsageError, match="num_envs: .* is not allowed; it must be a whole number from 1 to 4294967295"):
        manyworlds.VectorEnv("CartPole-v1", count)


@pytest.mark.parametrize("count", [2**31, 2**32 - 1, 2**30])
def test_more_worlds_than_a_device_holds(count):
    """The device refuses before anything of that size is made; which error it is depends on what it has."""
    with pytest.raises((UsageError, DeviceError), match="num_envs|memory"):
        manyworlds.VectorEnv("CartPole-v1", count)


@pytest.mark.parametrize("seed", [-1, 2**32, 2**64, 1.0, "1", True, [1, 2, 3, 4], np.array(3), float("nan")])
def test_seeds_that_are_refused(carts, seed):
    with pytest.raises(UsageError, match="seed: .* is not allowed; it must be a whole number from 0 to 4294967295"):
        carts.reset(seed=seed)
    with pytest.raises(UsageError, match="seed"):
        manyworlds.VectorEnv("CartPole-v1", 2, seed=seed)


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int64(5), np.uint32(7), np.uint8(1)])
def test_seeds_that_are_taken(carts, worlds, seed):
    assert np.array_equal(carts.reset(seed=seed)[0], worlds("CartPole-v1", 4, seed=seed).reset()[0])


@pytest.mark.parametrize("adapter", ["of no such name", "99", 99])
def test_adapters_that_are_not_there(adapter):
    with pytest.raises(DeviceError, match="no adapter matches .*; present: 0 "):
        manyworlds.VectorEnv("CartPole-v1", 2, adapter=adapter)


@pytest.mark.parametrize("adapter", ["", "-1", -1, None, 1.0, True, "\ud800"])
def test_adapters_that_are_none(adapter):
    with pytest.raises(UsageError, match="adapter"):
        manyworlds.VectorEnv("CartPole-v1", 2, adapter=adapter)


def test_an_adapter_by_index_and_by_part_of_its_name(worlds):
    name = manyworlds._native.adapters()[0]
    worlds("CartPole-v1", 2, adapter=0).reset()
    worlds("CartPole-v1", 2, adapter=name[:8]).reset()


@pytest.mark.parametrize("value", ["1\ngamma=0.5", "1\r\ngamma=0.5", "1\n[other]"])
def test_the_text_of_a_setting_is_one_value(value):
    """What stands behind it would be other settings."""
    with pytest.raises(UsageError, match="num_envs"):
        manyworlds.Policy.untrained("CartPole-v1", num_envs=value)


@pytest.mark.parametrize(
    "line", ["nested.append(nested)", "for _ in range(100_000): nested = [nested]", "nested = [[8]]"]
)
def test_a_setting_that_is_nested(python, line):
    program = f"""
import manyworlds
nested = [8]
{line}
try:
    manyworlds.Policy.untrained("CartPole-v1", hidden=nested)
except manyworlds.errors.UsageError as error:
    print("hidden" in str(error))
"""
    assert python(program) == "True\n"


@pytest.mark.parametrize("mode", ["x", None, 3, [], "same step"])
def test_autoreset_modes_that_are_none(mode):
    with pytest.raises(UsageError, match="there are same-step, next-step and disabled"):
        manyworlds.VectorEnv("CartPole-v1", 2, autoreset=mode)


@pytest.mark.parametrize(
    "options, text",
    [
        ({"x": 1}, "options 'x': there is reset_mask; constants are given to the constructor"),
        ({1: 2, "a": 3}, "options 1, 'a': there is reset_mask"),
        ({"reset_mask": [True] * 4}, "reset_mask is list, expected a NumPy array of bool"),
        ({"reset_mask": np.zeros(4, bool)}, "chooses no world"),
        ({"reset_mask": np.ones(3, bool)}, r"reset_mask is bool \(3,\)"),
        ({"reset_mask": np.ones(4)}, r"reset_mask is float64 \(4,\)"),
        (3, "options 3"),
        ("ab", "options 'ab'"),
    ],
)
def test_options_that_are_refused(carts, options, text):
    with pytest.raises(UsageError, match=text):
        carts.reset(options=options)


def test_a_refused_reset_changes_nothing(worlds):
    """An episode that has ended stays ended, with autoreset disabled, until a reset is accepted."""
    envs = worlds("CartPole-v1", 2, seed=1, autoreset="disabled")
    envs.reset()
    while not envs.step([0, 0])[2].any():
        pass
    for wrong in (
        {"seed": -1},
        {"options": {"reset_mask": np.zeros(2, bool)}},
        {"seed": 1, "options": {"reset_mask": np.ones(2, bool)}},
    ):
        with pytest.raises(UsageError):
            envs.reset(**wrong)
        with pytest.raises(UsageError, match="has ended, and autoreset is disabled"):
            envs.step([0, 0])
    envs.reset()
    envs.step([0, 0])


@pytest.mark.parametrize(
    "states",
    [
        [[0] * 3] * 4,
        [[0] * 4] * 3,
        [[1, 2], [3]],
        [[10**400, 1.5, 0, 0]] * 4,
        [],
        "x",
        None,
        np.zeros((4, 4), complex),
        np.zeros((2, 2, 2)),
    ],
)
def test_states_that_are_refused(carts, states):
    before = carts.states
    with pytest.raises(UsageError, match="state"):
        carts.states = states
    assert np.array_equal(carts.states, before)


def test_pictures_are_elsewhere(carts):
    with pytest.raises(UsageError, match="manyworlds render"):
        manyworlds.VectorEnv("CartPole-v1", 2, render_mode="human")
    with pytest.raises(UsageError, match="manyworlds render"):
        manyworlds.Env("CartPole-v1", render_mode="rgb_array")
    for env in (carts, manyworlds.Env("CartPole-v1")):
        with pytest.raises(NotImplementedError, match="manyworlds render"):
            env.render()


# Life


def test_what_was_closed_says_so(worlds):
    for mode in ("same-step", "disabled"):
        envs = worlds("CartPole-v1", 4, autoreset=mode)
        envs.reset()
        while not envs.step(GOOD)[2].any():
            pass
        envs.close()
        envs.close()
        for use in (lambda: envs.step(GOOD), lambda: envs.step(GOOD), envs.reset, lambda: envs.states):
            with pytest.raises(ClosedError, match="worlds of CartPole-v1 were closed; make new ones"):
                use()
    env = manyworlds.Env("CartPole-v1")
    env.close()
    env.close()
    with pytest.raises(ClosedError):
        env.reset()


def test_what_is_on_a_device_is_not_copied(carts):
    for use in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="functools.partial.manyworlds.VectorEnv"):
            use(carts)
        with pytest.raises(TypeError, match="functools.partial.manyworlds.Env"):
            use(manyworlds.Env("CartPole-v1"))
    carts.step(GOOD)


def test_half_made_environments_close(recwarn):
    with pytest.raises(UsageError):
        manyworlds.VectorEnv("CartPole-v1", 0)
    env = manyworlds.Env.__new__(manyworlds.Env)
    env.close()
    manyworlds.VectorEnv.__new__(manyworlds.VectorEnv).close()


def test_two_environments_in_two_threads(worlds):
    """Each gives what it gives alone."""
    made, wrong = [worlds("CartPole-v1", 256, seed=seed) for seed in (1, 2)], []
    alone = [played(worlds("CartPole-v1", 256, seed=seed)) for seed in (1, 2)]

    def work(place):
        if not np.array_equal(played(made[place]), alone[place]):
            wrong.append(place)

    threads = [threading.Thread(target=work, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def played(envs):
    envs.reset()
    for step in range(150):
        observations = envs.step(np.full(256, step % 2))[0]
    return observations.copy()


def test_one_environment_in_several_threads(python):
    """Steps come one after the other, whichever thread asks; a close ends the others with an error."""
    program = """
import collections, threading, time, numpy as np, manyworlds
def work():
    try:
        kept = collections.deque(maxlen=20)
        while True:
            observations = envs.step(actions)[0]
            kept.append((observations, observations.sum()))
            assert kept[0][0].sum() == kept[0][1]
    except manyworlds.Error as error:
        told.append(type(error).__name__)
for num_envs in (64, 256, 1024):
    for count in (2, 4, 8):
        envs, actions, told = manyworlds.VectorEnv("CartPole-v1", num_envs, seed=1), np.zeros(num_envs, int), []
        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        time.sleep(0.15)
        envs.close()
        for thread in threads:
            thread.join()
        assert told == ["ClosedError"] * count, told
"""
    python(program, timeout=120)


def test_many_steps_of_one_environment_in_several_threads(python):
    """Each call keeps what it has asked for, whatever another thread asks for in between."""
    program = """
import threading, time, numpy as np, manyworlds
envs, end, wrong = manyworlds.VectorEnv("Pendulum-v1", 64, seed=1), time.monotonic() + 3, []
actions = np.zeros((16, 64, 1), np.float32)
def work(keep, shape):
    try:
        while time.monotonic() < end and not wrong:
            rewards = envs.step_many(actions, keep=keep)[1]
            assert rewards.shape == shape and (rewards <= 0).all(), (keep, rewards.shape)
    except BaseException as error:
        wrong.append(repr(error))
kinds = [("each", (16, 64)), ("sums", (64,))] * 2
threads = [threading.Thread(target=work, args=kind) for kind in kinds]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(wrong)
"""
    assert python(program) == "[]\n"


def test_an_interrupt_ends_a_loop_of_steps(python):
    program = """
import os, signal, threading, numpy as np, manyworlds
envs = manyworlds.VectorEnv("CartPole-v1", 4096, seed=1)
envs.reset()
actions = np.zeros(4096, int)
try:
    # on a busy machine it comes before the timer's own start has returned
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    while True:
        envs.step(actions)
except KeyboardInterrupt:
    print("interrupted", envs.step(actions)[1].sum())
"""
    assert python(program).split() == ["interrupted", "4096.0"]


@pytest.mark.parametrize("threads", [0, 3])
def test_the_end_of_the_interpreter_with_worlds_alive(python, threads):
    """Worlds in globals, in a cycle, in another module, in functions called at exit, and stepped by daemons."""
    program = f"""
import atexit, sys, threading, time, numpy as np, manyworlds
envs = manyworlds.VectorEnv("CartPole-v1", 1024, seed=1)
actions = np.zeros(1024, int)
kept = envs.step(actions)
class Last:
    def __init__(self):
        self.me, self.envs = self, envs
    def __del__(self):
        self.envs.step(actions)
sys.last = Last()
sys.modules["last"] = Last()
Last()
atexit.register(lambda: print("at exit", envs.step(actions)[1].sum()))
def work():
    mine = manyworlds.VectorEnv("CartPole-v1", 1024, seed=1)
    while True:
        mine.step(actions)
for _ in range({threads}):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.5)
"""
    assert python(program) == "at exit 1024.0\n"


# Forks and processes

posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no forks on Windows")

FORK = """
import os, sys, manyworlds
def forked(work):
    process = os.fork()
    if process == 0:
        try:
            work()
        except BaseException as error:
            print(type(error).__name__, flush=True)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
"""


@posix
def test_a_fork_says_that_it_has_no_device(python):
    """Everything of the parent raises in the child, which can close and drop it; the parent goes on."""
    program = (
        FORK
        + """
envs = manyworlds.VectorEnv("CartPole-v1", 4, seed=1)
envs.step([0] * 4)
def work():
    for use in (lambda: envs.step([0] * 4), envs.reset, lambda: envs.states, lambda: envs.step_many([[0] * 4]),
                lambda: manyworlds.VectorEnv("CartPole-v1", 4), lambda: manyworlds._native.device("auto")):
        try:
            use()
            print("no error")
        except manyworlds.Error as error:
            assert isinstance(error, RuntimeError) and "spawn" in str(error) and str(os.getpid()) in str(error), error
    envs.close()
    globals().pop("envs")
    print("done", flush=True)
assert forked(work) == 0
assert envs.step([1] * 4)[1].sum() == 4
"""
    )
    assert python(program) == "done\n"


@posix
def test_a_fork_that_never_used_a_device_makes_its_own(python):
    program = (
        FORK
        + """
manyworlds.Environment("CartPole-v1")
def work():
    print(manyworlds.VectorEnv("CartPole-v1", 4, seed=1).reset()[0].sum(), flush=True)
assert forked(work) == 0
work()
"""
    )
    first, second = python(program).split()
    assert first == second


@posix
@pytest.mark.parametrize("ending", ["sys.exit(0)", "os._exit(0)", "raise SystemExit"])
def test_a_fork_ends_cleanly(python, ending):
    program = f"""
import os, sys, manyworlds
envs = manyworlds.VectorEnv("CartPole-v1", 4, seed=1)
envs.step([0] * 4)
for _ in range(5):
    process = os.fork()
    if process == 0:
        {ending}
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
"""
    python(program)


PROCESSES = """
import multiprocessing, sys
import manyworlds
def work(answers):
    try:
        answers.put(float(manyworlds.VectorEnv("CartPole-v1", 4, seed=1).reset()[0].sum()))
    except manyworlds.Error as error:
        answers.put(type(error).__name__)
if __name__ == "__main__":
    own = float(manyworlds.VectorEnv("CartPole-v1", 4, seed=1).reset()[0].sum())
    context = multiprocessing.get_context(sys.argv[1])
    answers = context.Queue()
    process = context.Process(target=work, args=(answers,))
    process.start()
    answer = answers.get(timeout=60)
    process.join(30)
    assert process.exitcode == 0
    print(answer == own, answer)
"""


@pytest.mark.parametrize("how", ["spawn", pytest.param("forkserver", marks=posix), pytest.param("fork", marks=posix)])
def test_processes_of_multiprocessing(tmp_path, python, how):
    path = tmp_path / "processes.py"
    path.write_text(PROCESSES)
    answer = python(SCRIPT.format(path=str(path), how=how))
    assert answer.startswith("False DeviceError" if how == "fork" else "True")


SCRIPT = """
import subprocess, sys
print(subprocess.run([sys.executable, {path!r}, {how!r}], check=True, capture_output=True, text=True,
timeout=50).stdout)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="drivers are found otherwise elsewhere")
def test_a_machine_without_a_device(python):
    program = """
import os
os.environ["VK_ICD_FILENAMES"] = os.environ["VK_DRIVER_FILES"] = "/nonexistent"
import manyworlds
manyworlds.Environment("CartPole-v1")
try:
    manyworlds.VectorEnv("CartPole-v1", 4)
except RuntimeError as error:
    print(type(error).__name__, error)
"""
    assert python(program).startswith("DeviceError no GPU adapter was found: install")
