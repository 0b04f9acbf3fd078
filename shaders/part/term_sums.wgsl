//! Sums of what objectives left of each invocation's samples, for MW_TERM_SPAN invocations of the minibatch each, always in the
//! same order. One workgroup = one block.
//!
//!   sums_b = Σ_{block b} terms

@bind var<storage, read> mw_terms: array<f32>;                  // [agent][term][invocation of the minibatch]

alias MwTerms = mat2x4<f32>;

var<workgroup> mw_terms_tree: array<MwTerms, MW_WORKGROUP>;

fn mw_terms_of(agent: u32, i: u32) -> MwTerms {
    let n = mw_run.minibatch_threads;
    let at = agent * MW_TERMS * n + i;
    return MwTerms(vec4<f32>(mw_terms[at], mw_terms[at + n], mw_terms[at + 2u * n], mw_terms[at + 3u * n]),
        vec4<f32>(mw_terms[at + 4u * n], mw_terms[at + 5u * n], mw_terms[at + 6u * n], mw_terms[at + 7u * n]));
}

/// All threads of the workgroup have to come here; `samples` are those of the minibatch.
fn mw_put_terms(agent: u32, block: u32, local: u32, samples: u32) {
    let count = (samples + MW_SAMPLES - 1u) / MW_SAMPLES;
    var total = MwTerms(vec4<f32>(0.0), vec4<f32>(0.0));
    for (var k = 0u; k < MW_TERM_SPAN; k += MW_WORKGROUP) {
        let i = block * MW_TERM_SPAN + k + local;
        if i < count { total += mw_terms_of(agent, i); }
    }
    mw_terms_tree[local] = total;
    @unroll for level in 0..MW_TREE_LEVELS {
        workgroupBarrier();
        const reach = MW_WORKGROUP >> (level + 1u);
        if local < reach { mw_terms_tree[local] += mw_terms_tree[local + reach]; }
    }
    if local == 0u && block < mw_run.term_blocks {
        let sums = mw_terms_tree[0];
        @unroll for term in 0..8 { mw_sums[mw_term_at(agent, block) + term] = sums[term / 4u][term % 4u]; }
    }
}
