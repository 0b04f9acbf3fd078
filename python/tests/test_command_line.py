"""The command line as `python -m manyworlds`: its answers, exit codes and what it needs."""

import subprocess
import sys

import pytest

import manyworlds


def command(*arguments, **named):
    program = [sys.executable, "-m", "manyworlds", *arguments]
    return subprocess.run(program, capture_output=True, text=True, timeout=60, **named)


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
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_file_is_checked(tmp_path):
    path = tmp_path / "bad.wgsl"
    path.write_text("fn env_reset() {")
    done = command("check-env", str(path))
    assert done.returncode == 2 and "bad.wgsl" in done.stderr + done.stdout
