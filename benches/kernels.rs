//! The kernels of an update of PPO, in the adapter's forms for long and for short work: `cargo bench`. (With
//! `LP_NATIVE_VECTOR_WIDTH=512` on a processor with AVX-512, as the command line does by itself.)
//!
//! Each sample submits one kind of pass of an update (2,048 worlds × 32 steps, 4 epochs of 4 minibatches) and waits.
//! `cargo bench -- gradient` runs those whose name holds the word.

#![allow(clippy::print_stderr)] // divan has standard output

use divan::Bencher;
use divan::counter::ItemsCount;
use manyworlds::algo::OnPolicy;
use manyworlds::bench::{Case, Mode};
use manyworlds::env::Environment;
use manyworlds::gpu::{AdapterChoice, Gpu, Recording};
use std::sync::OnceLock;

fn main() {
    divan::main();
}

/// Kernels that every form has, in the order of their first pass; the gradient of a network is one, or both networks have one.
const KERNELS: &[&str] =
    &["rollout", "value", "gae", "reduce advantages", "gradient", "sum slices", "adam", "finish update"];

struct Form {
    gpu: Gpu,
    name: &'static str,
    ppo: OnPolicy,
    samples: u64,
}

/// The form for long work, and the one for short work.
fn forms() -> &'static [Form] {
    static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
    FORMS.get_or_init(|| {
        let gpu = Gpu::new(&AdapterChoice::Auto, 0).unwrap_or_else(|error| panic!("{error}"));
        eprintln!("{} ({})", gpu.info().name, gpu.driver());
        let env = Environment::load("CartPole-v1").unwrap_or_else(|error| panic!("{error}"));
        let case = Case { mode: Mode::Train, num_envs: 2048, num_steps: 32, net: vec![64, 64] };
        let config = case.config();
        let forms = [("long work", gpu.form()), ("short work", gpu.form_for(0))];
        let make = |(name, form)| {
            let gpu = gpu.clone().with_form(form);
            let ppo = OnPolicy::new(&gpu, &env, &config, &[1]).unwrap_or_else(|error| panic!("{error}"));
            let form = Form { gpu, name, ppo, samples: u64::from(config.rollout_size()) };
            submit(&form, form.ppo.update());
            form
        };
        forms.into_iter().map(make).collect()
    })
}

fn submit(form: &Form, work: &Recording) {
    form.gpu.submit(work).and_then(|()| form.gpu.wait()).unwrap_or_else(|error| panic!("{error}"));
}

fn bench(bencher: Bencher<'_, '_>, kernel: &str, form: &'static Form) {
    let mut work = Recording::default();
    let own = |pass: &&manyworlds::gpu::Pass| pass.to_string().starts_with(kernel);
    form.ppo.update().passes().iter().filter(own).for_each(|pass| work.push(pass));
    assert!(!work.passes().is_empty(), "an update in the form for {} has no kernel '{kernel}'", form.name);
    bencher.counter(ItemsCount::new(form.samples)).bench_local(|| submit(form, &work));
}

/// Samples of the batch per second, in the form for long work.
#[divan::bench(args = KERNELS, sample_count = 10, sample_size = 1)]
fn long_work(bencher: Bencher<'_, '_>, kernel: &str) {
    bench(bencher, kernel, &forms()[0]);
}

/// The same in the form for short work.
#[divan::bench(args = KERNELS, sample_count = 10, sample_size = 1)]
fn short_work(bencher: Bencher<'_, '_>, kernel: &str) {
    bench(bencher, kernel, &forms()[1]);
}
