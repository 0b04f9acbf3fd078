use manyworlds::algo::Ppo;
use manyworlds::env::Environment;
use manyworlds::gpu::*;
use manyworlds::train::*;
use std::time::Instant;
fn main() {
    let n: usize = std::env::var("N").ok().and_then(|v| v.parse().ok()).unwrap_or(5);
    let pairs: Vec<String> = std::env::args().skip(1).collect();
    let config = Config::resolve("x", "ppo", None, &pairs).unwrap();
    let env = Environment::load("CartPole-v1").unwrap();
    if let Ok(vs) = std::env::var("VS") {
        let gpu = Gpu::new(&AdapterChoice::Auto, 1 << 30).unwrap();
        let list: Vec<_> = vs
            .split(',')
            .map(|v| {
                let form = Form { vectors: v.parse().unwrap(), ..gpu.form() };
                let gpu = gpu.clone().with_form(form);
                (v.to_owned(), Ppo::new(&gpu, &env, &config, &[1]).unwrap(), gpu)
            })
            .collect();
        for (v, ppo, gpu) in &list {
            let t = Instant::now();
            gpu.submit(ppo.update()).unwrap();
            gpu.wait().unwrap();
            println!("first V={v} {:.2}", t.elapsed().as_secs_f64());
        }
        let mut all: std::collections::BTreeMap<(String, String), Vec<f64>> = Default::default();
        for _ in 0..n {
            for (v, ppo, gpu) in &list {
                let t = Instant::now();
                gpu.submit(ppo.update()).unwrap();
                gpu.wait().unwrap();
                all.entry((" total".into(), v.clone())).or_default().push(t.elapsed().as_secs_f64() * 1e3);
                for p in gpu.profile(ppo.update()).unwrap().unwrap_or_default() {
                    all.entry((p.kernel, v.clone())).or_default().push(p.time.as_secs_f64() * 1e3);
                }
            }
        }
        for ((k, v), mut t) in all {
            t.sort_by(f64::total_cmp);
            if t[0] > 0.3 {
                println!("{k:28} V={v} min {:9.3} median {:9.3} ms", t[0], t[t.len() / 2]);
            }
        }
        return;
    }
    let t = Instant::now();
    let gpu = Gpu::new(&AdapterChoice::Auto, 1 << 30).unwrap();
    let ppo = Ppo::new(&gpu, &env, &config, &[1]).unwrap();
    println!("setup {:.2}", t.elapsed().as_secs_f64());
    if std::env::var("FIRST").is_ok() {
        let mut all = ppo.update().clone();
        ppo.evaluation.record(&mut all);
        let mut seen = std::collections::HashSet::new();
        for pass in all.passes() {
            let name = pass.to_string().split(':').next().unwrap().to_owned();
            if !seen.insert(name.clone()) {
                continue;
            }
            let mut one = Recording::default();
            one.push(pass);
            let t = Instant::now();
            gpu.submit(&one).unwrap();
            gpu.wait().unwrap();
            let first = t.elapsed().as_secs_f64();
            let t = Instant::now();
            gpu.submit(&one).unwrap();
            gpu.wait().unwrap();
            let again = t.elapsed().as_secs_f64();
            println!("first dispatch {name:30} then {again:.4} {:.3}", first - again);
        }
    }
    let t = Instant::now();
    gpu.submit(ppo.update()).unwrap();
    gpu.wait().unwrap();
    println!("first {:.2}", t.elapsed().as_secs_f64());
    let mut rates = vec![];
    for _ in 0..n {
        let t = Instant::now();
        gpu.submit(ppo.update()).unwrap();
        gpu.wait().unwrap();
        rates.push(config.batch_size() as f64 / t.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    println!("steps/s {:?}", rates.iter().map(|r| *r as u64).collect::<Vec<_>>());
    if let Ok(only) = std::env::var("ONLY") {
        let mut one = Recording::default();
        for pass in ppo.update().passes() {
            if pass.to_string().starts_with(&only) {
                one.push(pass);
            }
        }
        let t = Instant::now();
        let mut k = 0;
        while t.elapsed().as_secs_f64() < std::env::var("S").map_or(3.0, |s| s.parse().unwrap()) {
            gpu.submit(&one).unwrap();
            gpu.wait().unwrap();
            k += 1;
        }
        println!("{only} {:.3} ms", t.elapsed().as_secs_f64() / f64::from(k) * 1e3);
        return;
    }
    let mut all: std::collections::BTreeMap<String, Vec<f64>> = Default::default();
    for _ in 0..7 {
        for p in gpu.profile(ppo.update()).unwrap().unwrap_or_default() {
            all.entry(p.kernel).or_default().push(p.time.as_secs_f64() * 1e3);
        }
    }
    for (k, mut t) in all {
        t.sort_by(f64::total_cmp);
        println!("{k:28} min {:9.3} median {:9.3} ms", t[0], t[3]);
    }
}
