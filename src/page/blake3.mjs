// BLAKE3, for files that tell whether they were altered.

/// Bytes in hexadecimal.
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
