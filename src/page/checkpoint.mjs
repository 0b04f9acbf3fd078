// Checkpoints as `manyworlds eval` takes them: safetensors whose header begins with a BLAKE3 of all bytes (docs/checkpoint.md).

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

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const IV = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const ORDER = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const [CHUNK_START, CHUNK_END, PARENT, ROOT] = [1, 2, 4, 8];
const CHUNK = 1024;

/// The BLAKE3 of some bytes: 32 bytes.
export function blake3(bytes) {
  const last = node(bytes, 0);
  return new Uint8Array(compress({ ...last, flags: last.flags | ROOT }).slice(0, 8).buffer);
}

/// What is left to be compressed of some bytes, of which `chunk` is the first chunk.
function node(bytes, chunk) {
  if (bytes.length > CHUNK) {
    // the left half is the largest power of two of chunks that leaves something for the right one
    const left = 2 ** Math.floor(Math.log2(Math.ceil(bytes.length / CHUNK) - 1)) * CHUNK;
    const words = new Uint32Array(16);
    words.set(compress(node(bytes.subarray(0, left), chunk)).subarray(0, 8));
    words.set(compress(node(bytes.subarray(left), chunk + left / CHUNK)).subarray(0, 8), 8);
    return { value: IV, words, counter: 0, length: 64, flags: PARENT };
  }
  let value = IV;
  for (let at = 0; ; at += 64) {
    const block = new Uint8Array(64);
    const length = Math.min(64, bytes.length - at);
    block.set(bytes.subarray(at, at + length));
    const isLast = at + 64 >= bytes.length;
    const flags = (at === 0 ? CHUNK_START : 0) | (isLast ? CHUNK_END : 0);
    const piece = { value, words: new Uint32Array(block.buffer), counter: chunk, length, flags };
    if (isLast) return piece;
    value = compress(piece).subarray(0, 8);
  }
}

/// The compression of BLAKE3: 16 words.
function compress({ value, words, counter, length, flags }) {
  const v = new Uint32Array([...value, ...IV.slice(0, 4), counter, Math.floor(counter / 2 ** 32), length, flags]);
  const mix = (a, b, c, d, x, y) => {
    v[a] += v[b] + x;
    v[d] = rotate(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = rotate(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = rotate(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = rotate(v[b] ^ v[c], 7);
  };
  let m = words;
  for (let round = 0; round < 7; round++) {
    for (let i = 0; i < 4; i++) mix(i, i + 4, i + 8, i + 12, m[2 * i], m[2 * i + 1]);
    for (let i = 0; i < 4; i++) mix(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, m[2 * i + 8], m[2 * i + 9]);
    m = ORDER.map((place) => m[place]);
  }
  for (let i = 0; i < 8; i++) {
    v[i] ^= v[i + 8];
    v[i + 8] ^= value[i];
  }
  return v;
}

function rotate(word, bits) {
  return (word >>> bits) | (word << (32 - bits));
}
