// A plan, run by WebGPU alone: buffers, kernels and passes as `manyworlds plan --json` writes them down.

/// Bytes that WebGPU promises to bind everywhere.
const PROMISED = 128 << 20;

/// What a device has to have for these plans, of what WebGPU does not promise everywhere.
export function limitsFor(plans, adapter) {
  const largest = Math.max(...plans.flatMap((plan) => plan.buffers.map((buffer) => buffer.bytes)));
  const limits = {};
  for (const name of ["maxStorageBufferBindingSize", "maxBufferSize"]) {
    if (largest > adapter.limits[name]) {
      throw new Error(`a buffer has ${largest} bytes, and this browser's ${name} is ${adapter.limits[name]}`);
    }
    if (largest > PROMISED) limits[name] = largest;
  }
  return limits;
}

/// The words that a buffer holds at first: a list, or base64 of little-endian bytes.
function firstWords(words) {
  if (typeof words !== "string") return Uint32Array.from(words);
  const bytes = Uint8Array.from(atob(words), (char) => char.charCodeAt(0));
  return new Uint32Array(bytes.buffer);
}

export class Replay {
  /// Makes buffers and compiles kernels. `tell(done, all)` hears how far that is.
  static async make(device, plan, tell = () => {}) {
    const replay = new Replay();
    Object.assign(replay, { device, plan, buffers: plan.buffers.map((buffer) => makeBuffer(device, buffer)) });
    let done = 0;
    const pipelines = plan.kernels.map(async (kernel) => {
      const pipeline = await compile(device, kernel);
      tell(++done, plan.kernels.length);
      return pipeline;
    });
    replay.pipelines = await Promise.all(pipelines);
    replay.groups = plan.passes.map((pass) => {
      const bindings = plan.kernels[pass.kernel].bindings;
      const entries = Object.entries(pass.buffers).map(([name, place]) => (
        { binding: bindings[name], resource: { buffer: replay.buffers[place] } }));
      return device.createBindGroup({ layout: replay.pipelines[pass.kernel].getBindGroupLayout(0), entries });
    });
    return replay;
  }

  /// Passes of a recording; none where the plan has no such recording.
  passes(name) {
    return this.plan.recordings.find((recording) => recording.name === name)?.passes ?? [];
  }

  /// The buffers of a role, such as "parameters".
  role(name) {
    return (this.plan.roles[name] ?? []).map((place) => this.buffers[place]);
  }

  /// Bytes of a role's buffers.
  sizes(name) {
    return (this.plan.roles[name] ?? []).map((place) => this.plan.buffers[place].bytes);
  }

  /// Adds recordings, one after the other, to an encoder. Each pass sees what those before it wrote.
  record(encoder, ...names) {
    const compute = encoder.beginComputePass();
    for (const number of names.flatMap((name) => this.passes(name))) {
      const pass = this.plan.passes[number];
      compute.setPipeline(this.pipelines[pass.kernel]);
      compute.setBindGroup(0, this.groups[number]);
      compute.dispatchWorkgroups(...pass.groups);
    }
    compute.end();
  }

  /// Runs recordings, one after the other.
  submit(...names) {
    const encoder = this.device.createCommandEncoder();
    this.record(encoder, ...names);
    this.device.queue.submit([encoder.finish()]);
  }

  /// Reads pieces of buffers, [buffer, first byte, bytes] each, behind all that was submitted: their bytes, joined.
  async read(...pieces) {
    const size = pieces.reduce((sum, [, , bytes]) => sum + bytes, 0);
    const staging = this.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.device.createCommandEncoder();
    let at = 0;
    for (const [buffer, first, bytes] of pieces) {
      encoder.copyBufferToBuffer(buffer, first, staging, at, bytes);
      at += bytes;
    }
    this.device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const bytes = staging.getMappedRange().slice(0);
    staging.destroy();
    return bytes;
  }

  /// Reads all buffers of a role, joined.
  readRole(name) {
    const sizes = this.sizes(name);
    return this.read(...this.role(name).map((buffer, i) => [buffer, 0, sizes[i]]));
  }

  destroy() {
    this.buffers.forEach((buffer) => buffer.destroy());
  }
}

function makeBuffer(device, { name, bytes, uniform, words }) {
  const { UNIFORM, STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const usage = COPY_SRC | COPY_DST | UNIFORM | (uniform ? 0 : STORAGE);
  const buffer = device.createBuffer({ label: name, size: bytes, usage });
  if (words) device.queue.writeBuffer(buffer, 0, firstWords(words));
  return buffer;
}

async function compile(device, kernel) {
  const module = device.createShaderModule({ label: kernel.name, code: kernel.wgsl });
  try {
    return await device.createComputePipelineAsync({
      label: kernel.name,
      layout: "auto",
      compute: { module, entryPoint: "mw_main", constants: kernel.overrides },
    });
  } catch (error) {
    // where the device is gone, it has no information either
    const { messages } = await module.getCompilationInfo().catch(() => ({ messages: [] }));
    const said = messages.find((message) => message.type === "error");
    const where = said ? `line ${said.lineNum}: ${said.message}` : error.message;
    throw new Error(`kernel '${kernel.name}' was refused: ${where}`);
  }
}
