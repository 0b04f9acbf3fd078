// Checkpoints as `manyworlds eval` takes them: safetensors whose header begins with a BLAKE3 of all bytes (docs/checkpoint.md).

import { blake3, hex } from "./blake3.mjs";

/// The values of all tensors, in their order, out of parameters that have padding: Float32Array.
export function compact(tensors, padded) {
  const rows = tensors.flatMap(({ shape, offset, stride }) => {
    const columns = shape[shape.length - 1];
    const count = shape.length === 2 ? shape[0] : 1;
    return Array.from({ length: count }, (_, row) => padded.subarray(offset + row * stride, offset + row * stride + columns));
  });
  const values = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) {
    values.set(row, at);
    at += row.length;
  }
  return values;
}

/// The file of a policy after some updates: bytes. `metadata` is a list of [name, text] as at the start of the run.
export function checkpoint(metadata, tensors, padded, updates) {
  const values = compact(tensors, padded);
  const data = new Uint8Array(values.buffer);
  const found = { updates: String(updates), params_hash: hex(blake3(data)) };
  const entries = metadata.map(([name, text]) => [name, found[name] ?? text]);
  const none = "0".repeat(64);
  const length = header(entries, tensors, none, 0).length + data.length;
  const file = join(header(entries, tensors, none, length), data);
  return join(header(entries, tensors, hex(blake3(file)), length), data);
}

/// Length of the header, and the header.
function header(metadata, tensors, digest, bytes) {
  const own = [["blake3", digest], ["bytes", String(bytes).padStart(20, "0")]];
  const description = { __metadata__: Object.fromEntries([...own, ...metadata]) };
  let at = 0;
  for (const { name, shape } of tensors) {
    const end = at + 4 * shape.reduce((product, n) => product * n, 1);
    description[name] = { dtype: "F32", shape, data_offsets: [at, end] };
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(description));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(padded.length), true);
  return join(size, padded);
}

function join(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
