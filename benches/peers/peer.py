"""What every peer script shares: its arguments, timed rounds, and the JSON line that `compare.py` reads."""

import argparse
import json
import statistics
import time


def arguments(about, **defaults):
    """Command line of a peer; each keyword is an option with its default."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--seconds", type=float, default=2.0, help="time of all timed runs together, at least five runs")
    for name, value in defaults.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
    return parser.parse_args()


def measure(work, steps, seconds, setup_s, **labels):
    """Calls `work`, which makes `steps` environment steps and waits for them, until the time is up; prints one line."""
    work()
    rates = []
    began = time.perf_counter()
    while len(rates) < 5 or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        work()
        rates.append(steps / (time.perf_counter() - start))
    spread = {"min": min(rates), "median": statistics.median(rates), "max": max(rates)}
    print(json.dumps({**labels, "steps_per_s": spread, "runs": len(rates), "setup_s": setup_s}), flush=True)
