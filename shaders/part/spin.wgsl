//! The loop budget of environments: the linker puts a call of `mw_spin` at the head of every loop in an environment's
//! file. A step, a reset, a mask, and an observation (or one number of it) have MW_SPINS turns each in all their loops
//! together; past them loops are left, and `mw_spun_out` says so.

var<private> mw_spins: u32;
var<private> mw_spun_out: bool;

fn mw_spin() -> bool {
    mw_spins += 1u;
    mw_spun_out = mw_spun_out || mw_spins > MW_SPINS;
    return mw_spins > MW_SPINS;
}
