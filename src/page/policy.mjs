// What a policy makes of an observation, computed here: for showing it beside what the GPU did.

/// Logits of the choices, or the most likely action of real numbers. `padded` are the parameters as the GPU has them.
export function outputs(policy, padded, observation) {
  const tensors = Object.fromEntries(policy.tensors.map((tensor) => [tensor.name, tensor]));
  const at = ({ offset, stride }, row, column) => padded[offset + row * stride + column];
  let x = Array.from(observation);
  for (const step of policy.steps) {
    if (step.op === "normalise") {
      const moments = tensors[step.moments];
      const clip = (value) => Math.min(step.limit, Math.max(-step.limit, value));
      x = x.map((value, i) => clip((value - at(moments, i, 0)) * at(moments, i, 1)));
    } else if (step.op === "dense") {
      const [weight, bias] = [tensors[step.weight], tensors[step.bias]];
      x = Array.from({ length: step.outputs }, (_, row) => (
        x.reduce((sum, value, i) => sum + value * at(weight, row, i), padded[bias.offset + row])));
    } else if (step.op === "tanh") {
      x = x.map(Math.tanh);
    } else if (step.op === "relu") {
      x = x.map((value) => Math.max(value, 0));
    } else if (step.op === "clip") {
      x = x.map((value, i) => Math.min(step.high[i], Math.max(step.low[i], value)));
    } else if (step.op === "squash") {
      x = x.map((value, i) => step.low[i] + (step.high[i] - step.low[i]) * (Math.tanh(value) + 1) / 2);
    }
  }
  return x;
}

/// Probabilities of the actions of each choice, from logits; what is not allowed has none.
export function probabilities(counts, logits, allowed) {
  let first = 0;
  return counts.flatMap((count) => {
    const own = logits.slice(first, first + count).map((logit, i) => (allowed && !allowed[first + i] ? -Infinity : logit));
    first += count;
    const largest = Math.max(...own);
    if (largest === -Infinity) return own.map(() => 0); // nothing is allowed
    const weights = own.map((logit) => Math.exp(logit - largest));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  });
}
