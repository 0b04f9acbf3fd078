//! `train --init`: runs that begin with the networks of a policy, ours or of PyTorch's names.

// a test may panic
#![allow(clippy::unwrap_used)]

use super::calls::{alone, json, manyworlds, refused, text};
use crate::support::{assert_bits, gpu, ok};
use manyworlds::config::Config;
use manyworlds::env::Environment;
use manyworlds::train::{Init, Policy, Trainer};
use serde_json::Map;
use std::fs;
use std::path::{Path, PathBuf};

/// Numbers of a tensor as bytes, with their kind.
fn f32s(values: &[f32]) -> (&'static str, Vec<u8>) {
    ("F32", values.iter().flat_map(|x| x.to_le_bytes()).collect())
}

fn f64s(values: &[f64]) -> (&'static str, Vec<u8>) {
    ("F64", values.iter().flat_map(|x| x.to_le_bytes()).collect())
}

/// 16 bits each.
fn words(kind: &'static str, values: &[u16]) -> (&'static str, Vec<u8>) {
    (kind, values.iter().flat_map(|x| x.to_le_bytes()).collect())
}

/// Kind and bytes of a tensor's numbers.
type Data = (&'static str, Vec<u8>);
type Tensor<'a> = (&'a str, &'a [usize], Data);

/// A file as `safetensors.torch.save_file` writes it.
fn save(path: &Path, tensors: &[Tensor]) {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, shape, (kind, bytes)) in tensors {
        let end = data.len() + bytes.len();
        let entry = serde_json::json!({ "dtype": kind, "shape": shape, "data_offsets": [data.len(), end] });
        header.insert((*name).to_owned(), entry);
        data.extend_from_slice(bytes);
    }
    let mut text = serde_json::to_vec(&header).unwrap();
    text.resize(text.len().next_multiple_of(8), b' ');
    let length = (text.len() as u64).to_le_bytes();
    fs::write(path, [&length[..], &text, &data].concat()).unwrap();
}

/// A linear law that balances CartPole: a push against x/20 + 3ẋ/10 + 3θ + θ̇.
const LAW: [f32; 4] = [0.05, 0.3, 3.0, 1.0];

/// It as an `nn.Sequential` of Linear, Tanh, Linear behind a prefix.
fn law(prefix: &str) -> Vec<(String, Vec<usize>, Data)> {
    let both: Vec<f32> = LAW.iter().copied().chain(LAW.map(|x| -x)).collect();
    vec![
        (format!("{prefix}0.weight"), vec![2, 4], f32s(&both)),
        (format!("{prefix}0.bias"), vec![2], f32s(&[0.0; 2])),
        (format!("{prefix}2.weight"), vec![2, 2], f32s(&[-5.0, 5.0, 5.0, -5.0])),
        (format!("{prefix}2.bias"), vec![2], f32s(&[0.0; 2])),
    ]
}

fn save_law(path: &Path, prefix: &str) {
    let law = law(prefix);
    save(path, &law.iter().map(|(name, shape, data)| (&name[..], &shape[..], data.clone())).collect::<Vec<_>>());
}

fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A run whose learning rate changes nothing, evaluated after every update.
const STILL: [&str; 16] = [
    "--set",
    "hidden=[2]",
    "--set",
    "num_envs=16",
    "--set",
    "num_steps=8",
    "--set",
    "total_timesteps=256",
    "--set",
    "learning_rate=1e-12",
    "--set",
    "eval_every=1",
    "--set",
    "eval_episodes=50",
    "--set",
    "anneal_lr=false",
];

/// Arguments of such a run that begins with a file.
fn still<'a>(init: &'a Path, out: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let first = ["train", "CartPole-v1", "--json", "--init", word(init), "--out", word(out)];
    first.iter().chain(&STILL).chain(more).copied().collect()
}

/// What the `config.toml` of a run says that it began with.
fn begun_with(run: &Path) -> Vec<String> {
    let text = fs::read_to_string(run.join("config.toml")).unwrap();
    text.lines().filter(|line| line.starts_with("init")).map(str::to_owned).collect()
}

#[test]
fn a_run_of_weights_that_solve_cartpole_is_solved_at_its_first_evaluation() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (file, out) = (here.join("law.safetensors"), here.join("run"));
    save_law(&file, "");
    let output = manyworlds(&still(&file, &out, &["--until-solved"]));
    let (err, told) = (text(&output.stderr), text(&output.stdout));
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains(&format!("begins with actor of {}; by its seed: critic", file.display())), "{err}");
    let summary: serde_json::Value = serde_json::from_str(told.trim()).unwrap();
    assert_eq!((&summary["solved"], &summary["updates"]), (&true.into(), &1.into()), "{summary}");
    // what was learned in one update at such a rate is nothing
    let policy = ok(Policy::load(&out));
    for (got, wanted) in policy.parameters().iter().zip(LAW) {
        assert!((got - wanted).abs() < 1e-9, "{:?}", &policy.parameters()[..16]);
    }
    assert!(fs::read(out.join("init.safetensors")).unwrap() == fs::read(&file).unwrap(), "a copy, whole");

    // the run is made again by its configuration, whatever becomes of the file, and goes on with it
    fs::remove_file(&file).unwrap();
    let config = out.join("config.toml");
    let again = here.join("again");
    let second = json(&["train", "--config", word(&config), "--out", word(&again), "--json"], 0);
    assert_eq!(second["params_hash"], summary["params_hash"]);
    let lines = begun_with(&again);
    assert!(lines.len() == 2 && lines == begun_with(&out), "{lines:?}");
    json(&["train", "--resume", word(&again), "--set", "total_timesteps=512", "--json"], 0);
    assert_eq!(begun_with(&again), lines, "after it has gone on");
    refused(&["train", "--resume", word(&again), "--init", word(&out)], 2, &["--init", "--resume"]);

    // seeds side by side begin with it too, each as alone
    let several = here.join("several");
    let seeds = json(&["train", "--config", word(&config), "--seeds", "1,7", "--out", word(&several), "--json"], 0);
    assert_eq!(seeds["solved"], 2, "{seeds}");
    assert_eq!(seeds["seeds"][0]["params_hash"], summary["params_hash"]);
    assert_ne!(seeds["seeds"][1]["params_hash"], summary["params_hash"], "their critics differ");
    assert!(several.join("init.safetensors").exists());

    // a copy that was altered is refused, and leaves nothing
    save_law(&out.join("init.safetensors"), "actor.");
    let none = here.join("none");
    let words = ["'run.init'", "init.safetensors has BLAKE3", "put that file back"];
    refused(&["train", "--config", word(&config), "--out", word(&none)], 2, &words);
    assert!(!none.exists());
    // unless another one is named: a run directory
    let words = still(&again, &none, &[]);
    assert_eq!(json(&words, 0)["solved"], true);
}

#[test]
fn a_run_that_goes_on_vouches_for_no_other_copy_than_the_one_it_began_with() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (file, out, none) = (here.join("law.safetensors"), here.join("run"), here.join("none"));
    save_law(&file, "");
    json(&still(&file, &out, &[]), 0);
    let (config, copy) = (out.join("config.toml"), out.join("init.safetensors"));
    let digest = ok(Init::read(&file)).hash();
    let wanted = ["init = \"init.safetensors\"".to_owned(), format!("init_blake3 = \"{digest}\"")];
    assert_eq!(begun_with(&out), wanted);
    let resume = |set: &str| {
        let output = manyworlds(&["train", "--resume", word(&out), "--set", set]);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{err}");
        err
    };
    // another one, whole in itself
    save_law(&copy, "actor.");
    resume("total_timesteps=512");
    assert_eq!(begun_with(&out), wanted, "with an altered copy");
    let words = ["'run.init'", "init.safetensors has BLAKE3", digest.as_str(), "put that file back"];
    refused(&["train", "--config", word(&config), "--out", word(&none)], 2, &words);
    // one that cannot be read
    fs::write(&copy, "no tensors").unwrap();
    let err = resume("total_timesteps=768");
    assert_eq!(begun_with(&out), wanted, "with a damaged copy");
    assert!(!err.contains("config.toml"), "{err}");
    let words = ["init.safetensors", "it is no safetensors file"];
    refused(&["train", "--config", word(&config), "--out", word(&none)], 2, &words);
    assert!(!none.exists());
    // what a broken file said of it is lost, and that is told
    fs::remove_file(&copy).unwrap();
    fs::write(&config, "[run").unwrap();
    let err = resume("total_timesteps=1024");
    assert!(err.contains("config.toml") && err.contains("does not name what the run began with"), "{err}");
    assert!(begun_with(&out).is_empty());
}

/// They would silently begin from the seed.
#[test]
fn a_sweep_and_a_plan_of_a_run_that_begins_with_a_policy_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("config.toml"), folder.path().join("sweep"));
    let whole = "algo = \"cem\"\n[env]\nname = \"CartPole-v1\"\n[run]\nuntil_solved = true\n";
    fs::write(&file, format!("{whole}init = \"init.safetensors\"\n")).unwrap();
    let vary = ["sweep", "--config", word(&file), "--vary", "population=20,40", "--out", word(&out)];
    for (call, what) in [(&vary[..], "a trial of a sweep"), (&["plan", "--config", word(&file)], "a plan")] {
        let begins = format!("config.toml begins with init.safetensors, and {what} with its seed's parameters");
        refused(call, 2, &["'run.init'", begins.as_str(), "take init and init_blake3 out of the file's table [run]"]);
    }
    assert!(!out.exists());
    // so it is taken
    fs::write(&file, whole).unwrap();
    let output = manyworlds(&["plan", "--config", word(&file)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

/// A policy of another seed than that of the run.
fn policy(env: &str, algo: &str, pairs: &[&str]) -> Policy {
    let pairs: Vec<String> = pairs.iter().map(ToString::to_string).collect();
    let config = Config { seed: 77, ..ok(Config::resolve(env, algo, None, &pairs)) };
    let mut policy = ok(Policy::untrained(&ok(Environment::load(env)), config));
    // no number is that of any beginning
    let parameters: Vec<f32> = policy.parameters().iter().map(|x| 1.25 * x + 0.0625).collect();
    ok(policy.set_parameters(&parameters));
    policy
}

/// Parameters of every agent of a run that has not begun, in table order.
fn first(trainer: &Trainer, agents: usize) -> Vec<Vec<f32>> {
    let learning = trainer.learning();
    let parts: Vec<Vec<f32>> = learning.parameters.iter().map(|buffer| ok(gpu().read(buffer))).collect();
    let of_agent = |agent: usize| {
        let words: Vec<f32> =
            parts.iter().flat_map(|part| part.chunks_exact(part.len() / agents).nth(agent).unwrap()).copied().collect();
        learning.layout.compact(&words)
    };
    (0..agents).map(of_agent).collect()
}

#[test]
fn before_the_first_update_parameters_are_those_of_the_policy() {
    for (env, algo, pairs) in [
        ("CartPole-v1", "ppo", &["hidden=[5]", "norm_obs=true", "norm_reward=true", "num_envs=4", "num_steps=8"][..]),
        ("Pendulum-v1", "sac", &["hidden=[6, 5]", "num_envs=2", "buffer_size=1000", "batch_size=16"]),
        ("Pendulum-v1", "td3", &["hidden=[6]", "num_envs=2", "buffer_size=1000", "batch_size=16"]),
        ("CartPole-v1", "cem", &["hidden=[4]", "population=40"]),
    ] {
        let what = format!("{algo} on {env}");
        let policy = policy(env, algo, pairs);
        let trainer = ok(Trainer::from_policy(gpu(), &policy.env, &policy.config, &[3, 4], &policy));
        let mut wanted = policy.parameters().to_vec();
        if let Some(best) = wanted.len().checked_div(2).filter(|_| algo == "cem") {
            wanted.copy_within(..best, best);
        }
        for (agent, got) in first(&trainer, 2).iter().enumerate() {
            assert_bits(&format!("{what}, agent {agent}"), got, &wanted);
        }
        // targets begin as what they follow
        let buffers: Vec<(&str, &wgpu::Buffer)> = trainer.learning().state(false).collect();
        let named = |name: &str| buffers.iter().find(|(of, _)| *of == name).map(|(_, buffer)| *buffer);
        if let (Some(critics), Some(targets)) = (named("critics"), named("target critics")) {
            let work = manyworlds::gpu::Recording::default();
            let arrived = ok(ok(gpu().submit_and_read(&work, &[critics, targets])).wait(gpu()));
            assert_bits(&what, &arrived.take::<f32>(1), &arrived.take::<f32>(0));
        } else {
            assert!(!["sac", "td3"].contains(&algo), "{what} has targets");
        }
    }
}

#[test]
fn a_broken_newer_checkpoint_of_a_run_is_passed_over_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| {
        let place = folder.path().join(name);
        fs::create_dir_all(&place).unwrap();
        place.join("checkpoint.safetensors")
    };
    let made = policy("CartPole-v1", "ppo", &["hidden=[5]"]);
    ok(made.save(&place("")));
    fs::write(place("checkpoints/0000000007"), "").unwrap();
    let init = ok(Init::read(folder.path()));
    assert!(init.notes().len() == 1 && init.notes()[0].contains("it is empty"), "{:?}", init.notes());
    assert!(init.bytes() == ok(made.to_bytes()), "its policy, whole");
    assert!(init.path().ends_with("checkpoint.safetensors"), "{:?}", init.path());
}

#[test]
fn what_fits_is_taken_and_the_rest_is_said() {
    let made = policy("CartPole-v1", "ppo", &["hidden=[5]", "norm_obs=true"]);
    let init = ok(Init::of_policy(&made, Path::new("made")));
    let told = |algo: &str, pairs: &[&str]| {
        let pairs: Vec<String> = pairs.iter().map(ToString::to_string).collect();
        ok(init.fit(&made.env, &ok(Config::resolve("CartPole-v1", algo, None, &pairs)))).told
    };
    let all = "begins with actor, critic, normaliser.observation of made; not taken: normaliser.reward";
    assert_eq!(told("ppo", &["hidden=[5]", "norm_obs=true"]), format!("{all}; by its seed: normaliser.reward"));
    assert_eq!(
        told("a2c", &["hidden=[5]", "norm_obs=false"]),
        "begins with actor, critic of made; not taken: normaliser.observation, normaliser.reward; its actor has learned from \
         normalised observations, and sees them as they are: set norm_obs=true"
    );
    assert_eq!(
        told("cem", &["hidden=[5]", "norm_obs=true"]),
        "begins with actor, normaliser.observation of made; not taken: critic, normaliser.reward; by its seed: normaliser.reward"
    );
    let sac = told("sac", &["hidden=[5]", "target_entropy_scale=0.3", "activation=tanh"]);
    assert!(
        sac.contains("actor of made; not taken: critic, ") && sac.contains("by its seed: critic1, critic2"),
        "{sac}"
    );
}

#[test]
fn an_actor_that_does_not_fit_is_refused_by_its_tensor_with_both_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let (here, none) = (folder.path(), folder.path().join("none"));
    let ours = |name: &str, policy: &Policy| {
        let path = here.join(name);
        ok(policy.save(&path));
        path
    };
    let refuse = |env: &str, init: &Path, more: &[&str], words: &[&str]| {
        let first = ["train", env, "--init", word(init), "--out", word(&none)];
        refused(&[&first[..], more].concat(), 2, words);
        assert!(!none.exists());
    };
    let file = ours("ours", &policy("CartPole-v1", "ppo", &["hidden=[5]"]));
    let named = word(&file);
    let wide = ["--set", "hidden=[64, 64]"];
    refuse(
        "CartPole-v1",
        &file,
        &wide,
        &[named, "'actor.0.weight' is [5, 4], and [64, 4] in this run", "set hidden=[5]"],
    );
    let deep = ["--set", "hidden=[5, 5]"];
    refuse("CartPole-v1", &file, &deep, &["'actor.1.weight' is [2, 5], and [5, 5] in this run", "set hidden=[5]"]);
    let five = ["--set", "hidden=[5]"];
    let words =
        ["'actor.0.weight' is [5, 4], and [5, 6] in this run", "Acrobot-v1 observes 6 numbers", "that policy 4"];
    refuse("Acrobot-v1", &file, &five, &words);
    let relu = ["--set", "hidden=[5]", "--set", "activation=relu"];
    refuse(
        "CartPole-v1",
        &file,
        &relu,
        &["'activation'", "was made with tanh, this run has relu", "set activation=tanh"],
    );
    let deep = ours("deep", &policy("CartPole-v1", "ppo", &["hidden=[5, 2]"]));
    // its second layer has the shape of a head, and a third follows
    refuse("CartPole-v1", &deep, &five, &["'actor.2.weight' [2, 2] is one layer more", "set hidden=[5, 2]"]);
    let sac = ours("sac", &policy("Pendulum-v1", "sac", &["hidden=[5]", "activation=tanh"]));
    let words = ["'actor.1.weight' is [2, 5], and [1, 5] in this run", "makes 1 numbers, and that policy 2"];
    refuse("Pendulum-v1", &sac, &["--set", "hidden=[5]", "--set", "activation=tanh"], &words);
}

#[test]
fn files_of_pytorch_are_read_with_or_without_a_prefix_and_in_every_width() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let env = ok(Environment::load("CartPole-v1"));
    let config = ok(Config::resolve("CartPole-v1", "ppo", None, &["hidden=[2]".to_owned()]));
    for prefix in ["", "actor.", "policy.", "mlp.", "net.", "my.own.name."] {
        save_law(&path, prefix);
        let told = ok(ok(Init::read(&path)).fit(&env, &config)).told;
        assert!(told.starts_with("begins with actor of "), "{prefix}: {told}");
    }
    // an actor and a critic beside what is neither
    let law = law("actor.");
    let mut all: Vec<Tensor> = law.iter().map(|(name, shape, data)| (&name[..], &shape[..], data.clone())).collect();
    all.push(("critic.0.weight", &[2, 4], f64s(&[0.5; 8])));
    all.push(("critic.0.bias", &[2], words("F16", &[0x3800, 0xb800])));
    all.push(("critic.2.weight", &[1, 2], words("BF16", &[0x3f00, 0xbf00])));
    all.push(("critic.2.bias", &[1], f32s(&[0.5])));
    all.push(("steps", &[1], ("I64", vec![0; 8])));
    save(&path, &all);
    let init = ok(Init::read(&path));
    let told = ok(init.fit(&env, &config)).told;
    assert!(told.contains("begins with actor, critic of") && told.ends_with("not taken: steps"), "{told}");
    // halves of every kind are the same halves
    let mut policy = ok(Policy::untrained(&env, config.clone()));
    let law_values: Vec<f32> =
        law.iter().flat_map(|(_, _, (_, bytes))| bytes.as_chunks::<4>().0).map(|b| f32::from_le_bytes(*b)).collect();
    let critic = [&[0.5; 8][..], &[0.5, -0.5, 0.5, -0.5, 0.5]].concat();
    ok(policy.set_parameters(&[&law_values[..], &critic].concat()));
    let again = ok(Init::of_policy(&policy, &path));
    assert_eq!(ok(again.fit(&env, &config)).values(), ok(init.fit(&env, &config)).values());

    let refuse = |tensors: &[Tensor], reasons: &[&str]| {
        save(&path, tensors);
        let error = Init::read(&path).and_then(|init| init.fit(&env, &config)).expect_err("refused").to_string();
        for reason in [&["checkpoint '"], reasons].concat() {
            assert!(error.contains(reason), "'{reason}' is missing in {error}");
        }
    };
    let with = |place: usize, tensor: Tensor<'static>| {
        let mut changed = all.clone();
        changed[place] = tensor;
        changed
    };
    let broken = with(2, ("actor.2.weight", &[2, 2], f32s(&[0.0, 1.0, f32::NAN, 0.0])));
    refuse(&broken, &["'actor.2.weight': number 2 is NaN", "cannot begin"]);
    let too_large = with(1, ("actor.0.bias", &[2], f64s(&[0.0, 1e300])));
    refuse(&too_large, &["'actor.0.bias': number 1 is inf"]);
    let whole = with(1, ("actor.0.bias", &[2], ("I64", vec![0; 16])));
    refuse(&whole, &["'actor.0.bias' has numbers of kind I64", ".float()"]);
    let convolution = with(0, ("actor.0.weight", &[2, 2, 2], f32s(&[0.0; 8])));
    refuse(&convolution, &["'actor.0.weight' is [2, 2, 2]", "[outputs, inputs]"]);
    refuse(&all[1..4], &["lacks 'actor.0.weight' [2, 4]"]);
    refuse(&all[..3], &["lacks 'actor.1.bias' [2]"]);
    refuse(&all[4..], &["no network in it is an actor", "'critic.0.bias'", "name the layers actor.0.weight"]);
    refuse(&[], &["it holds nothing"]);
    // layers are in the order of their numbers, not of their names
    let layer = |name, outputs: &'static [usize]| (name, outputs, f32s(&vec![0.0; outputs.iter().product()]));
    let deep = [layer("2.weight", &[3, 4]), layer("2.bias", &[3]), layer("10.weight", &[2, 3]), layer("10.bias", &[2])];
    refuse(&deep, &["'2.weight' is [3, 4], and [2, 4] in this run; set hidden=[3]"]);
    fs::write(&path, b"PK\x03\x04 a zip").unwrap();
    let error = Init::read(&path).expect_err("no safetensors").to_string();
    assert!(error.contains("it is no safetensors file") && error.contains("save_file"), "{error}");
    let missing: PathBuf = folder.path().join("missing");
    let error = Init::read(&missing).expect_err("nothing").to_string();
    assert!(error.contains("cannot read") && error.contains("missing"), "{error}");
    // one of ours that was altered is no foreign file
    ok(policy.save(&path));
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = Init::read(&path).expect_err("altered").to_string();
    assert!(error.contains("it was altered"), "{error}");
}
