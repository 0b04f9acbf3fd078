"""What several ranks reach, predicted from measured parts (docs/scaling.md has the table that this prints).

    python3 benches/scaling.py

An update of one rank takes `work` seconds and pauses `exchanges` times, for `bytes_` each on average. A pause costs what the device
takes to be read and written, and what the network takes: at most 64 Ki words of all ranks together go round once, more twice, each rank
summing a piece. Ranks wait for the slowest: `jitter` is how much longer the slowest of the ranks takes than the mean, a part of `work`.
"""

from math import ceil, log2

# seconds of work, exchanges and bytes of an update of one rank
PPO_LLVMPIPE = dict(work=0.84, exchanges=21, bytes_=29_400)
# A GPU does the same update in milliseconds: assumed, not measured
PPO_GPU = dict(work=0.020, exchanges=21, bytes_=29_400)
WIDE_GPU = dict(work=0.200, exchanges=21, bytes_=4_300_000)
ES = dict(work=0.040, exchanges=1, bytes_=8_200)

# seconds of a message from end to end, bytes a second of each rank, seconds to read and write the device
NETWORKS = {
    "2 ranks of this machine": (2, 1e-6, 5e9, 0.84e-3),
    "8 GPUs of a machine, by its memory": (8, 2e-6, 10e9, 80e-6),
    "16 machines, 25 GbE": (16, 25e-6, 3e9, 80e-6),
    "100 machines, InfiniBand 200": (100, 2e-6, 22e9, 80e-6),
}


def pause(ranks, latency, bandwidth, device, bytes_):
    rounds = ceil(log2(ranks))
    if bytes_ * ranks <= 4 * 65536:
        return device + rounds * latency + bytes_ * (ranks - 1) / bandwidth
    return device + 2 * rounds * latency + 2 * bytes_ * (ranks - 1) / ranks / bandwidth


def efficiency(network, work, exchanges, bytes_, every_update=False, jitter=0.0):
    if every_update:
        exchanges, bytes_ = 6, bytes_ * 3 / 6  # moments as before, then parameters and both moments of Adam once
    lost = exchanges * pause(*network, bytes_) + jitter * work
    return work / (work + lost)


if __name__ == "__main__":
    columns = {
        "ppo 2×64, update 20 ms": (PPO_GPU, False),
        "the same, sync=update": (PPO_GPU, True),
        "ppo 4.3 MB, update 200 ms": (WIDE_GPU, False),
        "the same, sync=update ": (WIDE_GPU, True),
        "es, generation 40 ms": (ES, False),
    }
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, network in list(NETWORKS.items())[1:]:
        cells = [f"{100 * efficiency(network, **parts, every_update=every):.0f} %" for parts, every in columns.values()]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()
    for name, parts in [("ppo", PPO_LLVMPIPE), ("es", ES)]:
        print(name, f"{100 * efficiency(NETWORKS['2 ranks of this machine'], **parts):.1f} % on two ranks of this machine")
