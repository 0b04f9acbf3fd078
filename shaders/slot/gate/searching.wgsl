//! Slot `gate`: whether an agent's samples have work. As long as it looks for the length of a step.

@bind var<storage, read> mw_line_search: array<MwLineSearch>;           // [agent]

fn mw_works(agent: u32) -> bool { return mw_line_search[agent].accepted == 0u; }
