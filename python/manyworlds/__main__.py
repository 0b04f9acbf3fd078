"""The command line: ``python -m manyworlds``, and the program ``manyworlds``."""

import signal
import sys

from manyworlds import _native


def main():
    """Runs the command of this process's arguments and ends with its exit code."""
    # interrupts are the command line's: training saves, all else ends at once
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.flush()
    sys.exit(_native.command_line([sys.executable, "-m", "manyworlds"], sys.argv[1:]))


if __name__ == "__main__":
    main()
