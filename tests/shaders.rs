//! Shaders without a GPU: every part is built in, every kernel links in every form, and naga can translate it.

use manyworlds::env::Environment;
use manyworlds::gpu::{Form, Share};
use manyworlds::kernels::{Kernels, Objective, Reduction};
use manyworlds::nn::{Activation, Parameters};
use manyworlds::shader::Linked;

fn every_kernel() -> Vec<(String, Linked)> {
    let env = Environment::load("CartPole-v1").unwrap();
    let subgroup = |size| Form { lanes: 4, share: Share::Subgroup(size), tile_rows: 32, workgroup: 64 };
    let forms = [Form::PLAIN, Form { lanes: 4, ..Form::PLAIN }, subgroup(4), subgroup(8)];
    let mut all = Vec::new();
    for form in forms {
        for (hidden, activation) in [(vec![64, 64], Activation::Tanh), (vec![7], Activation::Relu), (vec![130, 20, 5], Activation::Tanh), (vec![20, 300], Activation::Relu)] {
            let mut parameters = Parameters::default();
            let widths = |outputs| [&[4][..], &hidden[..], &[outputs][..]].concat();
            let actor = parameters.add("actor", &widths(2), activation);
            let critic = parameters.add("critic", &widths(1), activation);
            let kernels = Kernels { form, parameters: &parameters, agents: 1 };
            let mut linked = vec![
                kernels.reset(&env),
                kernels.rollout(&env, actor),
                kernels.evaluate(&env, actor),
                kernels.value(critic),
                kernels.gae(),
                kernels.gradient(actor, Objective::PpoClip { actions: 2 }),
                kernels.gradient(critic, Objective::Value),
                kernels.weight_gradient(actor),
                kernels.weight_gradient(critic),
                kernels.sum_slices(),
                kernels.advance(),
                kernels.adam(),
                kernels.finish_update(),
            ];
            linked.extend(Reduction::ALL.map(|reduction| kernels.reduce(reduction)));
            for kernel in linked {
                let kernel = kernel.unwrap_or_else(|error| panic!("{form:?} {hidden:?}: {error}"));
                all.push((format!("{} in {form:?}, hidden {hidden:?}", kernel.name()), kernel));
            }
        }
    }
    all
}

#[test]
fn every_kernel_links_within_the_default_limits() {
    for (name, kernel) in every_kernel() {
        let storage = |(_, v): &(_, &naga::GlobalVariable)| matches!(v.space, naga::AddressSpace::Storage { .. });
        let storage = kernel.module().global_variables.iter().filter(storage).count();
        assert!(storage <= 7, "{name} binds {storage} storage buffers; 7 are allowed, so that the default limit of 8 leaves one");
    }
}
