"""The command line as `python -m manyworlds`: its answers, exit codes and what it needs."""

import os
import pathlib
import subprocess
import sys

import pytest

import manyworlds


def command(*arguments, **named):
    program = [sys.executable, "-m", "manyworlds", *arguments]
    return subprocess.run(program, capture_output=True, text=True, timeout=60, **named)


def started(words):
    """A process that has this package, whatever its own folder is."""
    path = os.pathsep.join([str(pathlib.Path(manyworlds.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = dict(os.environ, PYTHONPATH=path)
    return subprocess.run(words, capture_output=True, text=True, timeout=60, env=environment)


def test_version_and_help():
    done = command("--version")
    assert (done.returncode, done.stdout.split()[-1]) == (0, manyworlds.__version__)
    assert "train" in command("--help").stdout


def test_environments_are_those_of_the_package():
    listed = command("envs").stdout
    assert all(name in listed for name in manyworlds.environments())


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["train", "NoSuchEnvironment"], ["train"], ["--no-such-option"]]
)
def test_bad_usage_ends_with_2(arguments):
    done = command(*arguments)
    assert done.returncode == 2 and done.stderr and "panicked" not in done.stderr and "Traceback" not in done.stderr


def test_it_needs_no_gymnasium():
    """Nothing of Python's own is imported for a command, NumPy and Gymnasium least of all."""
    program = """
import sys
sys.modules["gymnasium"] = sys.modules["numpy"] = None
sys.argv = ["manyworlds", "--version"]
sys.orig_argv = ["python", "-m", "manyworlds", "--version"]
from manyworlds.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "manyworlds"],
        ["-X", "dev", "-m", "manyworlds"],
        ["-W", "ignore", "-mmanyworlds"],
        ["-m", "manyworlds.__main__"],
        ["{script}"],
    ],
    ids=" ".join,
)
def test_however_it_is_started_it_imports_nothing(tmp_path, words):
    """Also as the program that an installation makes of it, which is a script that calls `main`."""
    script = tmp_path / "manyworlds"
    script.write_text("import sys\nfrom manyworlds.__main__ import main\nsys.exit(main())\n")
    words = [str(script) if word == "{script}" else word for word in words]
    program = [sys.executable, "-X", "importtime", *words, "--version"]
    done = started(program)
    assert (done.returncode, done.stdout.split()[-1]) == (0, manyworlds.__version__)
    assert "manyworlds._native" in done.stderr, done.stderr
    assert "gymnasium" not in done.stderr and "numpy" not in done.stderr


def test_a_program_of_that_name_has_all_of_the_package(tmp_path):
    """Arguments that look like the command line are not it, and a script called `manyworlds` finds every name."""
    program = "import manyworlds; print(manyworlds.Env.__name__, manyworlds.train.__name__)"
    for name, arguments in [("other", ["-m", "manyworlds"]), ("manyworlds", [])]:
        script = tmp_path / name
        script.write_text(program)
        done = started([sys.executable, str(script), *arguments])
        assert (done.returncode, done.stdout) == (0, "Env train\n"), done.stderr


def test_names_of_the_package():
    """Nothing leaks that is not offered, and `from manyworlds import *` needs no Stable-Baselines3."""
    program = """
import sys
sys.modules["stable_baselines3"] = None
from manyworlds import *
import manyworlds, types
modules = {name for name in dir(manyworlds) if isinstance(vars(manyworlds).get(name), types.ModuleType)}
print(sorted(set(dir(manyworlds)) - set(manyworlds.__all__) - modules - {n for n in dir(manyworlds) if n[0] == "_"}))
print(VectorEnv.__name__, train.__name__, hasattr(manyworlds, "sys"), hasattr(manyworlds, "register"))
"""
    done = started([sys.executable, "-c", program])
    assert done.stdout == "['Sb3VecEnv']\nVectorEnv train False False\n", done.stderr


def test_a_file_is_checked(tmp_path):
    path = tmp_path / "bad.wgsl"
    path.write_text("fn env_reset() {")
    done = command("check-env", str(path))
    assert done.returncode == 2 and "bad.wgsl" in done.stderr + done.stdout
