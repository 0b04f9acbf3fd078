//! Slot `source`: the terms that the objectives left for each invocation's samples.

@bind var<uniform> mw_run: MwRun;
@bind var<storage, read> mw_progress: array<MwProgress>;
@bind var<storage, read> mw_terms: array<f32>;                 // [agent][term][count]

fn mw_source_count(agent: u32) -> u32 {
    return (mw_minibatch_count(mw_progress[agent].minibatch) + MW_SAMPLES - 1u) / MW_SAMPLES;
}
fn mw_source(agent: u32, i: u32) -> Element {
    let at = agent * MW_TERMS * mw_blocks.count + i;
    let n = mw_blocks.count;
    return Element(vec4<f32>(mw_terms[at], mw_terms[at + n], mw_terms[at + 2u * n], mw_terms[at + 3u * n]),
        vec4<f32>(mw_terms[at + 4u * n], mw_terms[at + 5u * n], mw_terms[at + 6u * n], mw_terms[at + 7u * n]));
}
