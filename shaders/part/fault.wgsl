//! The first fault of an agent's learning in an update.

fn mw_is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u; }

/// The progress with this number tested; earlier faults stay.
fn mw_test_learning(progress: ptr<function, MwProgress>, kind: u32, value: f32) {
    if (*progress).fault == 0u && !mw_is_finite(value) {
        (*progress).fault = kind;
        (*progress).fault_step = (*progress).minibatches;
        (*progress).fault_value = bitcast<u32>(value);
    }
}
