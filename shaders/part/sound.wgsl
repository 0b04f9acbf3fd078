//! Whether numbers of an environment are sound: finite, and small enough for sums over their squares (at most MW_LARGEST,
//! as bits). Their exponents are looked at as integers, for compilers take `x != x` and its like for false.
//!
//! What is unsound is noted once for a world, in its words (part/world.wgsl):
//!
//!   (loop · 2¹⁶ | number · 2⁴ | MW_FAULT_…, step of the world, bits of the number, bits of the largest |reward| so far)
//!
//! The loop that was cut short comes from part/spin.wgsl; nothing is 0.

/// (1 + number, bits) of the first number of an observation since this was taken that is unsound; 0 = none.
var<private> mw_unsound: vec2<u32>;

fn mw_is_unsound(bits: u32) -> bool { return (bits & 0x7fffffffu) > MW_LARGEST; }

/// Tests number f of an observation.
fn mw_test(f: u32, value: f32) {
    let bits = bitcast<u32>(value);
    mw_unsound = select(mw_unsound, vec2<u32>(f + 1u, bits), mw_is_unsound(bits) & (mw_unsound.x == 0u));
}

/// What the tests since the last call found.
fn mw_take_unsound() -> vec2<u32> {
    let found = mw_unsound;
    mw_unsound = vec2<u32>(0u);
    return found;
}

/// A world's fault after the tests of an observation that it makes behind `step` steps.
fn mw_fault_of_observation(fault: vec4<u32>, found: vec2<u32>, step: u32) -> vec4<u32> {
    let noted = vec4<u32>((fault.x & 0xffff0000u) | ((found.x - 1u) << 4u) | MW_FAULT_OBSERVATION, step, found.y, fault.w);
    return select(fault, noted, (found.x != 0u) & ((fault.x & 0xffffu) == 0u));
}

/// The same after a step with this reward.
fn mw_fault_of_reward(fault: vec4<u32>, reward: f32, step: u32) -> vec4<u32> {
    let bits = bitcast<u32>(reward);
    let largest = max(fault.w, bits & 0x7fffffffu);
    let noted = vec2<u32>((fault.x & 0xffff0000u) | MW_FAULT_REWARD, step);
    let new_ = mw_is_unsound(bits) & ((fault.x & 0xffffu) == 0u);
    return vec4<u32>(select(fault.xy, noted, new_), select(fault.z, bits, new_), largest);
}

/// The same with the loop that was cut short, if one was.
fn mw_fault_of_loops(fault: vec4<u32>) -> vec4<u32> {
    return vec4<u32>(select(fault.x, fault.x | (mw_cut << 16u), fault.x < 0x10000u), fault.yzw);
}
