//! Slot `reward`: rewards by the running deviation of discounted returns, held to ±10; their mean stays.

@bind var<storage, read> mw_parameters: array<vec4<f32>>;   // [agent][MW_PARAMETERS / 4]

fn mw_reward(agent: u32, reward: f32) -> f32 {
    return clamp(reward * mw_parameters[agent * MW_PARAMETERS / 4u + MW_NORMALISER + MW_NORMALISED].y, -10.0, 10.0);
}
