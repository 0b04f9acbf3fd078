"""Acts as a checkpoint does: python3 docs/policy.py CHECKPOINT < observations, a JSON list a line. See docs/checkpoint.md."""
import json, sys, tomllib
import numpy as np

def load(path):
    data = open(path, "rb").read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__")
    def tensor(entry):
        first, end = entry["data_offsets"]
        return np.frombuffer(data[start + first:start + end], "<f4").reshape(entry["shape"]).astype(np.float64)
    return metadata, {name: tensor(entry) for name, entry in header.items()}

def act(metadata, tensors, observation, allowed=None):
    config, space = tomllib.loads(metadata["config"]), json.loads(metadata["action_space"])
    x = np.asarray(observation, np.float64)
    if config["norm_obs"]:
        mean, scale = tensors["normaliser.observation"][:, :2].T
        x = np.clip((x - mean) * scale, -10, 10)
    layers = len(config["hidden"]) + 1
    for n in range(layers):
        x = tensors[f"actor.{n}.weight"] @ x + tensors[f"actor.{n}.bias"]
        if n + 1 < layers:
            x = np.tanh(x) if config["activation"] == "tanh" else np.maximum(x, 0)
    if metadata["action_bounds"] == "argmax":
        counts = space["counts"] if "counts" in space else [space["count"]]
        x = x if allowed is None else np.where(allowed, x, -np.inf)
        return [int(np.argmax(logits)) for logits in np.split(x, np.cumsum(counts)[:-1])]
    low, high = np.array(space["low"]), np.array(space["high"])
    x = x[:len(low)]  # sac: log σ follows
    if metadata["action_bounds"] == "tanh":
        return (low + (high - low) * (np.tanh(x) + 1) / 2).tolist()
    return np.clip(x, low, high).tolist()

if __name__ == "__main__":
    policy = load(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(act(*policy, json.loads(line))))
