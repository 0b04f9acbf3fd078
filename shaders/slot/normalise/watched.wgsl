//! Slot `normalise`: members of a population see observations as their agent's actor does, by running mean and deviation, and
//! what they see is counted (slot `watch`). Those moments stand behind the networks of the agent, not of the member.

@bind var<storage, read> mw_parameters: array<vec4<f32>>;      // [agent][MW_AGENT_PARAMETERS / 4]

fn mw_normalised(agent: u32, f: u32, x: Lane) -> Lane {
    let moments = mw_parameters[agent * (MW_AGENT_PARAMETERS / 4u) + MW_AGENT_NORMALISER + f];
    mw_watch(f, x - moments.x);
    return clamp((x - moments.x) * moments.y, -10.0, 10.0);
}
