//! Sums over the perturbations of a generation, weighed (slot `search`). One workgroup = MW_BLOCK neighbouring vec4s of an agent's
//! parameters; each thread takes every MW_WORKGROUP-th term, and its weight, once fetched, serves all of them.
//!
//!   S₁ = Σ_i w_i ε_i      S₂ = Σ_i v_i, where a method wants it      rows behind those that it keeps

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let agent = group.z;
    let first = (group.y * groups.x + group.x) * MW_BLOCK;
    let drawn = mw_drawn(agent);
    let origin = mw_origin(agent);
    var sums: array<Element, MW_SUMS * MW_BLOCK>;
    for (var i = local; i < mw_terms(); i += MW_WORKGROUP) {
        let term = mw_term(agent, i, origin);
        @unroll for b in 0..MW_BLOCK {
            let noise = mw_noise(drawn, term.n, first + b);
            sums[b] = fma(vec4<f32>(term.weight), noise, sums[b]);
            if MW_SUMS == 2u { sums[(MW_SUMS - 1u) * MW_BLOCK + b] += mw_second(term, noise); }
        }
    }
    @unroll for row in 0..MW_SUMS {
        @unroll for b in 0..MW_BLOCK {
            workgroupBarrier();
            let joined = mw_joined(local, sums[row * MW_BLOCK + b]);
            if local == 0u && first + b < MW_ACTOR / 4u { mw_memory[mw_sum_at(agent, row, first + b)] = joined; }
        }
    }
}
