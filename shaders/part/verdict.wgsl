//! The first fault of an agent's worlds: the one with the fewest steps, of several the one in the first world. One workgroup =
//! one agent. Integers and their least value only, so that no order of threads matters.

@bind var<storage, read> mw_world: array<vec4<u32>>;      // [agent][vec4][world], see part/world.wgsl

const MW_NOWHERE = 0xffffffffu;

var<workgroup> mw_first_step: atomic<u32>;
var<workgroup> mw_first_world: atomic<u32>;
var<workgroup> mw_first_loop: atomic<u32>;
var<workgroup> mw_largest_reward: atomic<u32>;

/// Writes it into the metrics, in thread 0; all threads of the workgroup have to come here.
fn mw_judge_worlds(local: u32, agent: u32, agents: u32, worlds: u32, metrics: ptr<function, MwMetrics>) {
    if local == 0u {
        atomicStore(&mw_first_step, MW_NOWHERE);
        atomicStore(&mw_first_world, MW_NOWHERE);
        atomicStore(&mw_first_loop, MW_NOWHERE);
        atomicStore(&mw_largest_reward, 0u);
    }
    workgroupBarrier();
    let vectors = arrayLength(&mw_world) / (agents * worlds);
    let faults = (agent * vectors + vectors - MW_ACCUMULATOR_VECTORS) * worlds;
    var step = MW_NOWHERE;
    var world = MW_NOWHERE;
    var cut = MW_NOWHERE;
    var largest = 0u;
    for (var w = local; w < worlds; w += MW_WORKGROUP) {
        let fault = mw_world[faults + w];
        largest = max(largest, fault.w);
        cut = min(cut, select(MW_NOWHERE, fault.x >> 16u, fault.x >= 0x10000u));
        let earlier = (fault.x & 0xffffu) != 0u && fault.y < step;
        step = select(step, fault.y, earlier);
        world = select(world, w, earlier);
    }
    atomicMin(&mw_first_step, step);
    atomicMin(&mw_first_loop, cut);
    atomicMax(&mw_largest_reward, largest);
    workgroupBarrier();
    if step == atomicLoad(&mw_first_step) { atomicMin(&mw_first_world, world); }
    workgroupBarrier();
    if local > 0u { return; }
    let first = atomicLoad(&mw_first_world);
    let loop_ = atomicLoad(&mw_first_loop);
    (*metrics).largest_reward = bitcast<f32>(atomicLoad(&mw_largest_reward));
    (*metrics).fault_loop = select(loop_, 0u, loop_ == MW_NOWHERE);
    if first != MW_NOWHERE {
        let fault = mw_world[faults + first];
        (*metrics).fault = fault.x & 0xffffu;
        (*metrics).fault_world = first;
        (*metrics).fault_step = fault.y;
        (*metrics).fault_value = fault.z;
    }
}

/// The same with the first fault of its learning, where there is none before.
fn mw_judge_learning(metrics: ptr<function, MwMetrics>, progress: MwProgress) {
    if (*metrics).fault != 0u || progress.fault == 0u { return; }
    (*metrics).fault = progress.fault;
    (*metrics).fault_step = progress.fault_step;
    (*metrics).fault_value = progress.fault_value;
}

/// The same with a place in the gradient or the parameters of one of its networks, or MW_NOWHERE.
fn mw_judge_place(metrics: ptr<function, MwMetrics>, kind: u32, network: u32, place: u32) {
    if (*metrics).fault != 0u || place == MW_NOWHERE { return; }
    (*metrics).fault = kind;
    (*metrics).fault_world = network;
    (*metrics).fault_step = place;
}
