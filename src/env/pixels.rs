//! What of an environment's file is for pictures alone: `env_pixel`, and what nothing but it refers to. Kernels that draw are
//! linked with the whole file and all others without this, so that a picture changes no kernel of training.

use super::contract::{CONSTANTS, PIXEL};
use super::scan::{Declaration, File, Kind};
use std::collections::HashSet;

impl File {
    /// Whether it says how its worlds look.
    pub fn draws(&self) -> bool {
        self.find(PIXEL.0).is_some_and(|found| found.kind == Kind::Function)
    }

    /// Declarations that pictures alone need, in the order of the file. Overrides stay, since they can be set.
    pub fn for_pictures(&self) -> Vec<&Declaration> {
        if !self.draws() {
            return Vec::new();
        }
        let drawn = self.reached(vec![PIXEL.0]);
        let others = self.declarations.iter().filter(|found| {
            let name = found.name.as_str();
            !drawn.contains(name) || found.kind == Kind::Override || CONSTANTS.contains(&name)
        });
        let kept = self.reached(others.map(|found| found.name.as_str()).collect());
        self.declarations.iter().filter(|found| !kept.contains(found.name.as_str())).collect()
    }

    /// These declarations and all that their texts name, directly or not.
    pub fn reached<'a>(&'a self, mut wanted: Vec<&'a str>) -> HashSet<&'a str> {
        let mut seen: HashSet<&str> = wanted.iter().copied().collect();
        while let Some(name) = wanted.pop() {
            let Some(found) = self.find(name) else { continue };
            let names = self.words(found.range.clone()).into_iter().filter(|word| self.find(word).is_some());
            wanted.extend(names.filter(|word| seen.insert(word)));
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SMALL, refused};
    use super::File;
    use crate::Environment;

    const DRAWN: &str = "
const GREY = 0.5; const RED: vec3<f32> = vec3<f32>(1.0, GREY, 0.0);
override width: f32 = 0.1;
fn shape(p: vec2<f32>) -> f32 { return pixel_disc(p, vec2<f32>(0.0), far(width)); }
fn far(x: f32) -> f32 { return 2.0 * x; }
fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32> { return pixel_over(RED, vec3<f32>(near(s.x)), shape(p)); }
fn near(x: f32) -> f32 { for (var i = 0; i < 3; i++) { } return x; }
";

    #[test]
    fn what_pictures_alone_need_is_told_apart() {
        let text = format!("{SMALL}{DRAWN}");
        let file = File::new("small.wgsl", &text).expect("a file");
        let names: Vec<&str> = file.for_pictures().iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["GREY", "RED", "shape", "far", "env_pixel", "near"]);
        // what a step uses too is the step's
        let text = text.replace("return Outcome(1.0, false);", "return Outcome(far(near(1.0)), false);");
        let file = File::new("small.wgsl", &text).expect("a file");
        let names: Vec<&str> = file.for_pictures().iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["GREY", "RED", "shape", "env_pixel"]);
    }

    #[test]
    fn a_picture_is_checked_and_is_nothing_to_training() {
        let text = format!("{SMALL}{DRAWN}");
        let env = Environment::from_source("small", "small.wgsl", &text).expect("an environment");
        assert!(env.draws() && !env.has_loops(), "its loop is the picture's");
        let linked = |env: &Environment| {
            let kernels = crate::kernels::Kernels::of_worlds(crate::gpu::Form::PLAIN, &env.spec().action_space);
            kernels.step(env).and_then(|program| program.link()).expect("a kernel").source().to_owned()
        };
        assert!(!linked(&env).contains("env_pixel") && linked(&env).contains("width"), "{}", linked(&env));
        let plain = Environment::from_source("small", "small.wgsl", SMALL).expect("an environment");
        let squeezed = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(linked(&env).replace("override width: f32 = 0.1;", "")), squeezed(linked(&plain)));
        for (case, from, to, words) in [
            (
                "a colour with alpha",
                "-> vec3<f32> { return pixel_over",
                "-> f32 { return 0.0; } fn x(s: State, p: vec2<f32>) -> vec3<f32> { return pixel_over",
                "expected `fn env_pixel",
            ),
            ("no place", "(s: State, p: vec2<f32>) -> vec3", "(s: State, p: vec3<f32>) -> vec3", "small.wgsl"),
            (
                "a name of ours",
                "fn far(",
                "fn pixel_disc(x: f32) -> f32 { return x; } fn far(",
                "the engine gives you this one",
            ),
            ("no such function", "pixel_disc(", "pixel_disk(", "pixel_disk"),
        ] {
            refused(case, &text.replace(from, to), words);
        }
        // those who had such names before there were pictures keep them
        let own = format!("{SMALL}fn pixel_disc(x: f32) -> f32 {{ return x; }}");
        Environment::from_source("small", "small.wgsl", &own).expect("an environment");
    }
}
