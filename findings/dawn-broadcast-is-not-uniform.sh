#!/bin/sh
# Dawn (the WebGPU of Chrome), npm package webgpu 0.6.2, Linux x86-64, seen on 2026-11-30.
#
# Surprise: its Tint analyses uniformity at the scope of a subgroup (the language feature subgroup_uniformity is there, and a
# condition on @builtin(subgroup_id) may stand around a shuffle), and yet what subgroupBroadcastFirst, subgroupBroadcast,
# subgroupAny and subgroupAdd return, the same number in every lane by their very definition, counts as different in each: a shuffle
# behind a condition on it is refused. So the usual way to tell a compiler that lanes agree does not work; a loop whose end is a
# subgroup's has to be written with an end that is made of subgroup_id, workgroup_id or uniforms. naga and drivers take all of them.
#
# Output seen:
#   subgroup_uniformity: true
#   subgroup_id: taken
#   subgroupBroadcastFirst: refused, 'subgroupShuffle' must only be called from subgroup uniform control flow
#   subgroupBroadcast: refused, 'subgroupShuffle' must only be called from subgroup uniform control flow
#   subgroupAny: refused, 'subgroupShuffle' must only be called from subgroup uniform control flow
#   subgroupAdd: refused, 'subgroupShuffle' must only be called from subgroup uniform control flow
#
# Exit status: 0 as described, 1 something else was seen, 2 the package could not be had. Needs Node 18 with npm, and a libstdc++ with
# GLIBCXX_3.4.30; no GPU, since Dawn's null backend compiles nothing further.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
cd "$folder"
printf '{"private": true, "type": "module", "dependencies": {"webgpu": "0.6.2"}}\n' >package.json
npm install --silent --ignore-scripts >/dev/null 2>&1 || exit 2

cat >uniform.mjs <<'END'
import { create, globals } from "webgpu";
Object.assign(globalThis, globals);
globalThis.gpu = create(["backend=null"]);
const adapter = await gpu.requestAdapter();
const device = await adapter.requestDevice({ requiredFeatures: ["subgroups"] });
console.log(`subgroup_uniformity: ${gpu.wgslLanguageFeatures.has("subgroup_uniformity")}`);
const ways = {
  subgroup_id: "subgroup",
  subgroupBroadcastFirst: "subgroupBroadcastFirst(lane)",
  subgroupBroadcast: "subgroupBroadcast(lane, 0u)",
  subgroupAny: "u32(subgroupAny(lane > 3u))",
  subgroupAdd: "subgroupAdd(lane)",
};
for (const [name, number] of Object.entries(ways)) {
  const code = `enable subgroups;
    @group(0) @binding(0) var<storage, read_write> x: array<u32>;
    @compute @workgroup_size(64)
    fn main(@builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32) {
      let same = ${number};
      if same > 0u { x[lane] = subgroupShuffle(x[lane], 0u); }
    }`;
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  await device.popErrorScope();
  const error = messages.find((message) => message.type === "error");
  console.log(`${name}: ${error ? `refused, ${error.message.split("\n")[0]}` : "taken"}`);
}
process.exit(0);
END

node uniform.mjs 2>/dev/null | tee said
why="refused, 'subgroupShuffle' must only be called from subgroup uniform control flow"
cat >expected <<END
subgroup_uniformity: true
subgroup_id: taken
subgroupBroadcastFirst: $why
subgroupBroadcast: $why
subgroupAny: $why
subgroupAdd: $why
END
if cmp -s said expected; then echo "as described"; else echo "not as described"; exit 1; fi
