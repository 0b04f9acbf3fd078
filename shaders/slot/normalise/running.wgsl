//! Slot `normalise`: networks see observations by running mean and deviation, held to ±10. Both stand behind the networks
//! among an agent's parameters (see merge_moments.wgsl) and are those of the update's beginning until its end.

fn mw_normalised(agent: u32, f: u32, x: Lane) -> Lane {
    let moments = mw_parameters[agent * MW_PARAMETERS / 4u + MW_NORMALISER + f];
    return clamp((x - Lane(moments.x)) * moments.y, Lane(-10.0), Lane(10.0));
}
