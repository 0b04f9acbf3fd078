//! Slot `limit`: a Lane held to ±most, as processors do in four instructions where clamp takes eight: Mesa's software driver cuts
//! minima of 16 numbers in two. The same bits, but for what is not a number, which stays so.

fn mw_limited(x: Lane, most: Lane) -> Lane {
    let below = select(x, most, x > most);
    return select(below, -most, below < -most);
}
