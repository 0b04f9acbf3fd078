//! x
#![allow(missing_docs, clippy::all, clippy::pedantic)]
use manyworlds::env::*;
use manyworlds::gpu::*;
use manyworlds::kernels::*;
use manyworlds::nn::*;
use std::time::Instant;
fn main() {
    let gpu = Gpu::new(&AdapterChoice::Auto, 0).unwrap();
    let env = Environment::load("Pendulum-v1").unwrap();
    let light = std::env::args().nth(1).unwrap() == "light";
    let w: u32 = std::env::args().nth(2).unwrap().parse().unwrap();
    let form = if light { Form::light(16) } else { Form::fast(16) };
    let form = Form { workgroup: 16, ..form };
    let log_std = [-5.0, 2.0];
    let (mut a, mut c) = (Parameters::default(), Parameters::default());
    a.add("actor", &[3, w, w, 2], Activation::Relu);
    c.add("critic", &[4, w, w, 1], Activation::Relu);
    let exploration = Exploration { squash: true, spread: Spread::Clamped { log_std }, ..Exploration::default() };
    let of = |parameters, agents| Kernels { form, parameters, space: &env.spec().action_space, exploration, keeps: false, agents };
    let k = OffPolicyKernels { actor: of(&a, 1), critic: of(&c, 2), decision: Decision::Squashed { log_std }, noise: Noise::Relative, twins: 2, judges: 2 };
    let links: Vec<(&str, Link)> = vec![
        ("outputs", Box::new(|| k.outputs())),
        ("choose", Box::new(|| k.choose())),
        ("next value", Box::new(|| k.next_value())),
        ("weight gradient", Box::new(|| k.critic.weight_gradient(0, Objective::Value))),
        ("evaluate", Box::new(|| k.actor.evaluate(&env, 0))),
        ("slopes", Box::new(|| k.slopes())),
        ("actor gradient", Box::new(|| k.actor_gradient())),
        ("critic gradient", Box::new(|| k.critic_gradient())),
    ];
    for (name, link) in links {
        let t = Instant::now();
        gpu.compile(&[link]).unwrap();
        gpu.wait().unwrap();
        println!("{name}: {:.1} s", t.elapsed().as_secs_f64());
    }
}
