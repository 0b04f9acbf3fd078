//! The loop budget of environments: the linker puts a call of `mw_spin` at the head of every loop in an environment's
//! file. A step, a reset, a mask, and an observation (or one number of it) have MW_SPINS turns each in all their loops
//! together; past them loops are left, and `mw_cut` names the one that was left first.

var<private> mw_spins: u32;
/// Number of that loop in the file, from 1; 0 = none was left.
var<private> mw_cut: u32;

fn mw_spin(loop_: u32) -> bool {
    mw_spins += 1u;
    let over = mw_spins > MW_SPINS;
    mw_cut = select(mw_cut, loop_, over & (mw_cut == 0u));
    return over;
}
