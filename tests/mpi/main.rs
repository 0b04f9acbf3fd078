//! Runs over several ranks, as `mpirun` starts them: the same results as one process, whole files, and a word for whoever dies.

// a test may panic
#![allow(clippy::unwrap_used)]

use manyworlds::train::Policy;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// This program on so many ranks; one is started without a launcher.
fn command(ranks: u32, arguments: &[&str]) -> Command {
    let program = env!("CARGO_BIN_EXE_manyworlds");
    let mut command = match ranks {
        1 => Command::new(program),
        ranks => {
            let mut command = Command::new("mpirun");
            command.args(["-n", &ranks.to_string(), program]);
            command
        }
    };
    command
        .args(arguments)
        // containers, and machines with fewer cores than ranks
        .envs([("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")])
        .envs([("OMPI_MCA_rmaps_base_oversubscribe", "1"), ("OMPI_MCA_mpi_yield_when_idle", "1")])
        .env_remove("MANYWORLDS_GUARD");
    command
}

#[track_caller]
fn run(ranks: u32, arguments: &[&str]) -> Output {
    command(ranks, arguments).output().expect("mpirun starts; `apt-get install openmpi-bin` brings it")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Trains, which goes well, and gives the parameters.
#[track_caller]
fn train(ranks: u32, out: &Path, arguments: &[&str]) -> Vec<f32> {
    let output = run(ranks, &[&["train"], arguments, &["--out", out.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{ranks} ranks: {}", said(&output));
    Policy::load(out).unwrap().parameters().to_vec()
}

/// ‖a − b‖/‖b‖
fn apart(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| f64::from(a - b))) / norm(&mut b.iter().map(|b| f64::from(*b)))
}

#[test]
fn two_ranks_come_to_what_one_process_comes_to_and_repeat_bit_for_bit() {
    let rollouts = ["num_envs=32", "num_steps=32", "total_timesteps=5120", "hidden=[32, 32]", "shards=2"];
    let replay = ["num_envs=8", "num_steps=8", "total_timesteps=448", "hidden=[32, 32]", "shards=2"];
    let ring = ["buffer_size=1024", "batch_size=64", "learning_starts=128"];
    for (env, algo, settings) in [
        ("CartPole-v1", "ppo", [&rollouts[..], &["num_minibatches=4", "norm_obs=true"]].concat()),
        ("CartPole-v1", "trpo", [&rollouts[..], &["fisher_subsample=1", "value_minibatches=4"]].concat()),
        ("Pendulum-v1", "sac", [&replay[..], &ring[..]].concat()),
        ("CartPole-v1", "es", vec!["generations=5", "population=64"]),
    ] {
        let base = folder();
        let mut arguments = vec![env, "--algo", algo];
        arguments.extend(settings.iter().chain(&["eval_episodes=10"]).flat_map(|pair| ["--set", pair]));
        let out = |name: &str| -> PathBuf { base.path().join(name) };
        let alone = train(1, &out("alone"), &arguments);
        let (first, second) = (train(2, &out("first"), &arguments), train(2, &out("second"), &arguments));
        assert_eq!(Policy::load(&out("alone")).unwrap().updates, 5, "{algo}");
        assert_eq!(first, second, "{algo}");
        let found = apart(&first, &alone);
        assert!(found < 1e-5, "{algo}: {found:e}");
        // the states too: what one run has left another can go on from, whatever the number of ranks
        let state = |name: &str| std::fs::read(out(name).join("state.safetensors")).unwrap();
        assert!(state("first") == state("second"), "{algo}");
        assert_eq!(state("first").len(), state("alone").len(), "{algo}");
    }
}

#[test]
fn a_run_goes_on_over_another_number_of_ranks() {
    let base = folder();
    let out = base.path().join("run");
    let (directory, settings) =
        (out.to_str().unwrap(), ["num_envs=16", "num_steps=16", "hidden=[16]", "shards=4", "eval_episodes=10"]);
    let mut arguments = vec!["CartPole-v1"];
    arguments.extend(settings.iter().flat_map(|pair| ["--set", pair]));
    let whole = train(
        1,
        &base.path().join("whole"),
        &[&arguments[..], &["--set", "total_timesteps=1024", "--set", "anneal_lr=false"]].concat(),
    );
    train(2, &out, &[&arguments[..], &["--set", "total_timesteps=512", "--set", "anneal_lr=false"]].concat());
    let output = run(4, &["train", "--resume", directory, "--set", "total_timesteps=1024"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains("note: minibatches"), "{}", said(&output));
    let found = apart(Policy::load(&out).unwrap().parameters(), &whole);
    assert!(found < 1e-5, "{found:e}");
    // 4 shards are not among 3 ranks; 16 worlds are not either
    let output = run(3, &["train", "--resume", directory, "--set", "total_timesteps=2048"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("num_envs") && said(&output).contains("18 can"), "{}", said(&output));
}

/// Numbers of the processes that train as a rank, guards left out.
fn trains_as(rank: u32, out: &Path) -> Vec<u32> {
    let has = |file: &Path, part: &str| {
        let bytes = std::fs::read(file).unwrap_or_default();
        bytes.split(|byte| *byte == 0).any(|word| word.starts_with(part.as_bytes()))
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse::<u32>().ok()?;
        let (environ, line) = (entry.path().join("environ"), entry.path().join("cmdline"));
        let ours = has(&line, out.to_str()?) && has(&environ, "MANYWORLDS_GUARD=");
        let exact = std::fs::read(environ).unwrap_or_default();
        let of_rank =
            exact.split(|byte| *byte == 0).any(|word| word == format!("OMPI_COMM_WORLD_RANK={rank}").as_bytes());
        (ours && of_rank).then_some(id)
    });
    processes.collect()
}

/// Two ranks that train until somebody ends them.
fn long_run(out: &Path) -> Command {
    let settings = [
        "num_envs=64",
        "num_steps=32",
        "total_timesteps=1000000000",
        "hidden=[16]",
        "eval_every=5",
        "eval_episodes=10",
    ];
    let mut arguments = vec!["train", "CartPole-v1", "--out", out.to_str().unwrap()];
    arguments.extend(settings.iter().flat_map(|pair| ["--set", pair]));
    let mut job = command(2, &arguments);
    job.stdout(Stdio::null()).stderr(Stdio::piped());
    job
}

#[test]
fn a_rank_that_dies_ends_the_job_with_its_name_and_leaves_a_whole_checkpoint() {
    let base = folder();
    let out = base.path().join("run");
    let job = long_run(&out).spawn().unwrap();
    let begun = Instant::now();
    let victim = loop {
        assert!(begun.elapsed() < Duration::from_mins(5), "no checkpoint came");
        if out.join("state.safetensors").exists()
            && let [victim] = trains_as(1, &out)[..]
        {
            break victim;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let process = rustix::process::Pid::from_raw(victim.cast_signed()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    let killed = Instant::now();
    let output = job.wait_with_output().unwrap();
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert!(said(&output).contains(&format!("error: rank 1 on {name} died")), "{}", said(&output));
    // what is there is whole, and goes on in one process
    let done = Policy::load(&out).unwrap().updates;
    let more = format!("total_timesteps={}", (done + 2) * 64 * 32);
    let output = loop {
        let output = run(1, &["train", "--resume", out.to_str().unwrap(), "--set", &more]);
        // rank 0 is killed behind its guard
        if !said(&output).contains("writes into it") || killed.elapsed() > Duration::from_secs(5) {
            break output;
        }
    };
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(Policy::load(&out).unwrap().updates, done + 2);
}

#[test]
fn a_signal_to_the_launcher_saves_the_run() {
    let base = folder();
    let out = base.path().join("run");
    let job = long_run(&out).env("OMPI_MCA_odls_base_sigkill_timeout", "15").spawn().unwrap();
    let begun = Instant::now();
    while !out.join("state.safetensors").exists() {
        assert!(begun.elapsed() < Duration::from_mins(5), "no checkpoint came");
        std::thread::sleep(Duration::from_millis(50));
    }
    let launcher = rustix::process::Pid::from_raw(job.id().cast_signed()).unwrap();
    rustix::process::kill_process(launcher, rustix::process::Signal::TERM).unwrap();
    let output = job.wait_with_output().unwrap();
    assert!(said(&output).contains("interrupted at step") && said(&output).contains("saved to"), "{}", said(&output));
    assert!(!said(&output).contains("died"), "{}", said(&output));
    let updates = Policy::load(&out).unwrap().updates;
    let output = run(
        2,
        &["train", "--resume", out.to_str().unwrap(), "--set", &format!("total_timesteps={}", (updates + 1) * 2048)],
    );
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn seeds_are_dealt_to_ranks_and_one_of_them_writes() {
    let base = folder();
    let settings =
        ["num_envs=8", "num_steps=16", "total_timesteps=640", "hidden=[16]", "eval_every=2", "eval_episodes=10"];
    let results = |ranks: u32| -> Vec<(u64, String, String)> {
        let out = base.path().join(ranks.to_string());
        let mut arguments = vec!["train", "CartPole-v1", "--seeds", "3..7", "--out", out.to_str().unwrap()];
        arguments.extend(settings.iter().flat_map(|pair| ["--set", pair]));
        let output = run(ranks, &arguments);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(said(&output).matches("run directory").count(), 1, "{}", said(&output));
        let text = std::fs::read_to_string(out.join("results.json")).unwrap();
        let results: serde_json::Value = serde_json::from_str(&text).unwrap();
        let of_seed = |seed: &serde_json::Value| {
            let number = seed["seed"].as_u64().unwrap();
            let folder = out.join(format!("seed-{number}"));
            let lines = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
            assert_eq!(lines.lines().count(), 5);
            (number, seed["params_hash"].as_str().unwrap().to_owned(), seed["eval"].to_string())
        };
        results["seeds"].as_array().unwrap().iter().map(of_seed).collect()
    };
    let alone = results(1);
    assert_eq!(alone.len(), 5);
    assert_eq!(results(2), alone);
}

#[test]
fn trials_of_a_sweep_are_dealt_to_ranks() {
    let base = folder();
    let settings = ["num_envs=8", "num_steps=16", "total_timesteps=512", "hidden=[16]", "eval_episodes=10"];
    let records = |ranks: u32, part: &str| -> (String, String) {
        let out = base.path().join(part);
        let mut arguments =
            vec!["sweep", "CartPole-v1", "--vary", "learning_rate=log:1e-4..1e-2", "--trials", "5", "--rounds", "2"];
        arguments.extend(["--finalists", "1", "--seeds", "2", "--out", out.to_str().unwrap()]);
        arguments.extend(settings.iter().flat_map(|pair| ["--set", pair]));
        let output = run(ranks, &arguments);
        assert!(output.status.success(), "{}", said(&output));
        let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
        (read("trials.jsonl"), read("results.json"))
    };
    let alone = records(1, "alone");
    assert_eq!(records(2, "ranks"), alone);
    // a sweep that one process began goes on over two
    let file = base.path().join("alone").join("trials.jsonl");
    let half: String = alone.0.lines().take(5).map(|line| format!("{line}\n")).collect();
    std::fs::write(file, half).unwrap();
    assert_eq!(records(2, "alone").0, alone.0);
}

#[test]
fn errors_are_said_once_and_logs_are_of_each_rank() {
    let base = folder();
    let out = base.path().join("run");
    let directory = out.to_str().unwrap();
    for (arguments, part) in [
        (vec!["train", "CartPole-v1", "--set", "num_envs=7", "--out", directory], "8 can"),
        (vec!["train", "CartPole-v1", "--set", "num_env=8"], "num_envs"),
        (vec!["train", "CartPole-v1", "--no-such-option"], "--no-such-option"),
        (vec!["train", "CartPole-v1", "--watch"], "one process"),
        (vec!["train", "CartPole-v1", "--seeds", "4..1"], "write 1..4"),
        (vec!["eval", "runs/none"], "one process"),
    ] {
        let output = run(2, &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert_eq!(said(&output).matches("error: ").count(), 1, "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(part), "{arguments:?}: {}", said(&output));
        assert!(!out.exists(), "{arguments:?}");
    }
    let settings = ["num_envs=8", "num_steps=16", "total_timesteps=256", "hidden=[16]", "eval_episodes=10"];
    let mut arguments = vec!["CartPole-v1", "--rank-logs"];
    arguments.extend(settings.iter().flat_map(|pair| ["--set", pair]));
    train(2, &out, &arguments);
    for rank in 0..2 {
        let log = std::fs::read_to_string(out.join(format!("ranks/rank-{rank}.log"))).unwrap();
        assert!(log.starts_with(&format!("rank {rank} of 2 on ")) && log.contains("2 ranks: "), "{log}");
    }
}

#[test]
fn learning_with_one_two_and_four_ranks_solves_the_same_problem() {
    for (algo, settings) in [("ppo", &[][..]), ("es", &["generations=60"][..])] {
        for ranks in [1, 2, 4] {
            for seed in ["1", "2", "3"] {
                let base = folder();
                let out = base.path().join("run");
                let mut arguments = vec!["train", "CartPole-v1", "--algo", algo, "--seed", seed, "--until-solved"];
                arguments.extend(["--out", out.to_str().unwrap()]);
                arguments.extend(settings.iter().flat_map(|pair| ["--set", pair]));
                let output = run(ranks, &arguments);
                assert!(output.status.success(), "{algo}, {ranks} ranks, seed {seed}: {}", said(&output));
            }
        }
    }
}
