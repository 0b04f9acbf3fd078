//! Combines many elements into one for each block of a row, always in the same order. One workgroup = one block; an agent has
//! one row or several.
//!
//!   partial_b = x_first ∘ … ∘ x_last     ∘ and its identity from slot `element`, x_i from slot `source`
//!
//! A second dispatch with source `partials` and one block finishes.

@bind var<uniform> mw_blocks: MwBlocks;
@bind var<storage, read_write> mw_result: array<Element>;      // [agent][row][block]

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let place = group.y * groups.x + group.x;
    let row = group.z * mw_blocks.rows + place / mw_blocks.blocks;
    let block = place % mw_blocks.blocks;
    let count = mw_source_count(row);
    var total = mw_identity();
    for (var k = 0u; k < mw_blocks.span; k += MW_WORKGROUP) {
        let i = block * mw_blocks.span + k + local;
        if i < count { total = mw_combine(total, mw_source(row, i)); }
    }
    let joined = mw_joined(local, total);
    if local == 0u && place < mw_blocks.rows * mw_blocks.blocks { mw_result[row * mw_blocks.blocks + block] = joined; }
}
