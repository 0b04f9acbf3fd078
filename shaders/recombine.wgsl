//! A generation becomes the next one's distribution, parents or point (slot `search`), and the best member that there ever was (of equals the last)
//! is kept. One thread = four neighbouring parameters.

@compute @workgroup_size(MW_WORKGROUP)
fn mw_main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) local: u32) {
    let thread = mw_thread(group, groups, local);
    let agent = thread.agent;
    let at = thread.index;
    if at >= MW_ACTOR / 4u { return; }
    let here = mw_place(agent, at);
    let best = mw_ranked_best(agent, mw_of_rank(agent, 0u));
    let words = agent * MW_PARAMETERS / 4u + at;
    if mw_fitness_of(agent, best) >= mw_standing[agent].best { mw_parameters[words + MW_ACTOR / 4u] = mw_member(here, best); }
    let actor = mw_recombine(here);
    mw_parameters[words] = actor;
    mw_test_place(agent, MW_OF_PARAMETER, at * 4u, actor, MW_FINITE);
}
