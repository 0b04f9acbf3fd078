//! The gradient of every form of the kernels against the f64 reference, for several networks and odd sizes.

use manyworlds::batch::{Agents, Batch};
use manyworlds::gpu::{AdapterChoice, Form, Gpu, Recording, Share};
use manyworlds::kernels::{Kernels, Objective};
use manyworlds::layout::{ROWS, Row, Run};
use manyworlds::nn::{Activation, Parameters};
use manyworlds::reference::mlp::{self, Mlp};
use manyworlds::reference::ppo::{actor_loss, critic_loss};
use manyworlds::stage::{Learner, Slicing};

const FEATURES: u32 = 5;
const ACTIONS: u32 = 3;
const AGENTS: u32 = 2;

/// Reproducible numbers in −1 … 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn list(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next()).collect()
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Worst ‖g − reference‖ / ‖reference‖ over agents and networks.
fn worst(form: Form, hidden: &[u32], activation: Activation, samples: u32, window: u32) -> f64 {
    let gpu = Gpu::new(&AdapterChoice::Auto, 0).unwrap().with_form(form);
    let mut parameters = Parameters::default();
    let widths = |outputs| [&[FEATURES], hidden, &[outputs]].concat();
    let networks =
        [parameters.add("actor", &widths(ACTIONS), activation), parameters.add("critic", &widths(1), activation)];
    let kernels = Kernels { form, parameters: &parameters, agents: AGENTS };
    let mut slicing = Slicing::new(samples, AGENTS, &parameters, &kernels);
    slicing.window = slicing.window.min(window);
    let mut run = Run {
        num_envs: samples,
        num_steps: 1,
        batch_size: samples,
        minibatch_size: samples,
        num_minibatches: 1,
        bootstrap_slots: 1,
        tile: 1,
        clip_vloss: 1,
        clip_coef: 0.2,
        ent_coef: 0.01,
        vf_coef: 0.5,
        ..Run::default()
    };
    run.set_slicing(slicing, &kernels);

    let mut noise = Noise(1);
    let n = samples as usize;
    let sizes: Vec<usize> = networks
        .iter()
        .map(|&network| {
            mlp::Mlp::parameter_count(
                &parameters.networks()[network].widths().iter().map(|&w| w as usize).collect::<Vec<_>>(),
            )
        })
        .collect();
    let compact: Vec<Vec<f32>> =
        (0..AGENTS).map(|_| noise.list(sizes.iter().sum()).iter().map(|value| 0.3 * value).collect()).collect();
    let padded: Vec<f32> = compact.iter().flat_map(|agent| parameters.expand(agent)).collect();
    let agents = Agents::new(&gpu, run, &[7, 8], &padded).unwrap();
    let batch = Batch::new(&gpu, AGENTS, &run, FEATURES).unwrap();
    let objectives = [(networks[0], Objective::PpoClip { actions: ACTIONS }), (networks[1], Objective::Value)];
    let learner = Learner::new(&gpu, &kernels, &agents, &batch, slicing, &objectives).unwrap();
    let mut recording = Recording::default();
    learner.record(&mut recording);

    // a first run over NaN leaves NaN in everything that is scratch
    gpu.write(&batch.observations, &vec![f32::NAN; batch.observations.len()]);
    gpu.submit(&recording).unwrap();
    gpu.wait().unwrap();

    let observations = noise.list(batch.observations.len());
    gpu.write(&batch.observations, &observations);
    let mut rows = vec![0u32; batch.samples.len()];
    for (agent, rows) in rows.chunks_exact_mut(ROWS as usize * n).enumerate() {
        for s in 0..n {
            rows[Row::Action as usize * n + s] = (s + agent) as u32 % ACTIONS;
            for row in [Row::LogProb, Row::Value, Row::Advantage, Row::Target] {
                let offset = if row == Row::LogProb { -1.1 } else { 0.0 };
                rows[row as usize * n + s] = (offset + 0.4 * noise.next()).to_bits();
            }
        }
    }
    gpu.write(&batch.samples, &rows);
    gpu.submit(&recording).unwrap();
    let gradient = gpu.read(&learner.gradient).unwrap();

    let mut worst: f64 = 0.0;
    for agent in 0..AGENTS as usize {
        let words = parameters.words() as usize;
        let gradient = wide(&parameters.compact(&gradient[agent * words..(agent + 1) * words]));
        let features = FEATURES as usize;
        let observation = |s: usize| (0..features).map(move |f| (agent * features + f) * n + s);
        let observations: Vec<f64> = (0..n).flat_map(observation).map(|at| f64::from(observations[at])).collect();
        let row = |row: Row| &rows[(agent * ROWS as usize + row as usize) * n..][..n];
        let floats = |r: Row| row(r).iter().map(|&bits| f64::from(f32::from_bits(bits))).collect::<Vec<_>>();
        let network = |which: usize, from: usize| Mlp {
            widths: parameters.networks()[which].widths().iter().map(|&width| width as usize).collect(),
            activation: match activation {
                Activation::Tanh => mlp::Activation::Tanh,
                Activation::Relu => mlp::Activation::Relu,
            },
            parameters: wide(&compact[agent][from..from + sizes[which]]),
        };
        let actor = network(0, 0);
        let critic = network(1, sizes[0]);
        let (log_probs, advantages) = (floats(Row::LogProb), floats(Row::Advantage));
        let expected = [
            actor_loss(&actor, &observations, row(Row::Action), &log_probs, &advantages, 0.2, 0.01).gradient,
            critic_loss(&critic, &observations, &floats(Row::Target), &floats(Row::Value), Some(0.2))
                .gradient
                .iter()
                .map(|g| 0.5 * g)
                .collect(),
        ];
        for (got, expected) in [&gradient[..sizes[0]], &gradient[sizes[0]..]].into_iter().zip(&expected) {
            let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
            let error = norm(&mut got.iter().zip(expected).map(|(a, b)| a - b)) / norm(&mut expected.iter().copied());
            worst = if error.is_nan() { f64::NAN } else { worst.max(error) };
        }
    }
    worst
}

#[test]
fn gradients_agree_with_the_reference() {
    let gpu = Gpu::new(&AdapterChoice::Auto, 0).unwrap();
    let mut forms = vec![Form::PLAIN, Form { lanes: 4, ..Form::PLAIN }];
    if gpu.form().share_size() > 1 {
        forms.push(gpu.form());
        forms.push(Form { lanes: 1, share: Share::Subgroup(gpu.form().share_size()), ..gpu.form() });
    }
    drop(gpu);
    let (tanh, relu) = (Activation::Tanh, Activation::Relu);
    let shapes: [(&[u32], Activation); 6] = [
        (&[64, 64], tanh),
        (&[7], relu),
        (&[130, 20, 5], tanh),
        (&[10, 70, 20, 9], relu),
        (&[20, 130], tanh),
        (&[], tanh),
    ];
    let mut failed = Vec::new();
    for form in forms {
        for (hidden, activation) in shapes {
            let few = if hidden == [64, 64] { 3 } else { 1 };
            for (samples, window) in [(1037, 3), (1037, u32::MAX), (3, 1)].into_iter().take(few) {
                let error = worst(form, hidden, activation, samples, window);
                println!("{form:?} {hidden:?} {samples} samples, window {window}: {error:.1e}");
                if error.is_nan() || error > 1e-4 {
                    failed.push(format!("{form:?} {hidden:?} {activation:?} {samples} samples: {error:.1e}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
