//! A value of every thread of a workgroup, joined into one, always in the same order (slot `element`).

var<workgroup> mw_tree: array<Element, MW_WORKGROUP>;

/// x₀ ∘ x₁ ∘ …, in thread 0; others go on before it is known, with a value of no use.
fn mw_joined(local: u32, value: Element) -> Element {
    mw_tree[local] = value;
    @unroll for level in 0..MW_TREE_LEVELS {
        workgroupBarrier();
        const reach = MW_WORKGROUP >> (level + 1u);
        if local < reach { mw_tree[local] = mw_combine(mw_tree[local], mw_tree[local + reach]); }
    }
    return mw_tree[local];
}
