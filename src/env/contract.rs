//! What an environment's file must have, and of which type: the contract, checked against naga's view of the file.

use super::scan::{Declaration, File, Kind};
use super::space::ActionSpace;
use super::{LONGEST_EPISODE, Spec};
use crate::error::{Error, Result, nearest};
use crate::shader::Linked;
use naga::{Module, Type, TypeInner};

/// Functions of an environment, and how they look. It has one of the two that observe.
pub(super) const FUNCTIONS: [(&str, &str); 4] = [
    ("env_reset", "fn env_reset(rng: ptr<function, Rng>) -> State"),
    ("env_step", "fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome"),
    OBSERVE,
    FEATURE,
];
const OBSERVE: (&str, &str) = ("env_observe", "fn env_observe(s: State) -> Observation");
const FEATURE: (&str, &str) = ("env_feature", "fn env_feature(s: State, i: u32) -> f32");
/// Functions that it may have.
const MASK: (&str, &str) = ("env_action_mask", "fn env_action_mask(s: State) -> ActionMask");
pub(super) const PIXEL: (&str, &str) = ("env_pixel", "fn env_pixel(s: State, p: vec2<f32>) -> vec3<f32>");

/// What an environment may have, and what nobody misses where its name is misspelt.
pub(super) const OPTIONAL: [&str; 3] = ["REWARD_THRESHOLD", "env_action_mask", "env_pixel"];

/// Largest observation and largest number of actions.
pub(super) const LARGEST_SPACE: u32 = 4096;

/// Constants of the contract.
pub(super) const CONSTANTS: [&str; 8] = [
    "OBSERVATION_DIM",
    "ACTION_COUNT",
    "ACTION_COUNTS",
    "ACTION_DIM",
    "ACTION_LOW",
    "ACTION_HIGH",
    "MAX_EPISODE_STEPS",
    "REWARD_THRESHOLD",
];
/// Functions and types of WGSL that the engine's parts use; a declaration of the same name would take their place there.
const BUILT_IN: [&str; 54] = [
    "abs",
    "bitcast",
    "ceil",
    "clamp",
    "cos",
    "cross",
    "countLeadingZeros",
    "degrees",
    "distance",
    "dot",
    "exp",
    "exp2",
    "floor",
    "fma",
    "fract",
    "inverseSqrt",
    "length",
    "log",
    "log2",
    "max",
    "min",
    "mix",
    "normalize",
    "pow",
    "radians",
    "round",
    "select",
    "sign",
    "sin",
    "smoothstep",
    "sqrt",
    "step",
    "tan",
    "tanh",
    "trunc",
    "all",
    "any",
    "arrayLength",
    "subgroupBroadcast",
    "subgroupShuffle",
    "subgroupShuffleXor",
    "array",
    "bool",
    "f32",
    "i32",
    "u32",
    "vec2",
    "vec3",
    "vec4",
    "mat2x4",
    "mat4x4",
    "ptr",
    "f16",
    "workgroupBarrier",
];

/// What the engine calls its own things.
const RESERVED: [&str; 4] = ["Lane", "LaneWord", "LaneAction", "Element"];
/// What authors are given and may not declare.
const GIVEN: [&str; 17] = [
    "Rng",
    "Action",
    "ActionMask",
    "Outcome",
    "Observation",
    "rng_u32",
    "rng_uniform",
    "rng_range",
    "rng_below",
    "rng_normal",
    "sin_",
    "cos_",
    "exp_",
    "log_",
    "tanh_",
    "wrap_",
    "main",
];

/// The same where the environment has a picture (`part/pixel.wgsl`).
const GIVEN_TO_PICTURES: [&str; 12] = [
    "pixel_size",
    "pixel_cover",
    "pixel_disc",
    "pixel_ring",
    "pixel_line",
    "pixel_box",
    "pixel_over",
    "pixel_turn",
    "pixel_eye",
    "pixel_ray",
    "pixel_project",
    "pixel_ground",
];

impl File {
    /// Checks that what every environment needs is there, and that nothing is there that it must not have.
    pub fn check(&self, environment: &str) -> Result<()> {
        for found in &self.declarations {
            if ["mw_", "MW_", "Mw"].iter().any(|prefix| found.name.starts_with(prefix))
                || RESERVED.contains(&found.name.as_str())
            {
                let reason =
                    "this name, and those that begin with mw_, MW_ or Mw, are the engine's; choose another one";
                return Err(self.complaint(&found.name, reason));
            }
            if BUILT_IN.contains(&found.name.as_str()) {
                return Err(
                    self.complaint(&found.name, "WGSL has this name already, and the engine uses it; choose another")
                );
            }
            let pictures = self.draws() && GIVEN_TO_PICTURES.contains(&found.name.as_str());
            if GIVEN.contains(&found.name.as_str()) || pictures {
                return Err(self.complaint(&found.name, "the engine gives you this one; choose another name"));
            }
        }
        let overrides = self.declarations.iter().filter(|found| found.kind == Kind::Override);
        if let Some(found) = overrides.into_iter().find(|found| self.initialiser(found).is_none()) {
            return Err(self.complaint(&found.name, "give it a value, as in `override gravity: f32 = 9.8;`"));
        }
        let missing = |what: &str| {
            // what a name of the file was meant to be
            let name =
                what.split(['(', ':', ' ']).find(|word| !["const", "struct", "fn"].contains(word)).unwrap_or(what);
            let others = self.declarations.iter().map(|found| found.name.as_str());
            let others = others.filter(|other| strsim::osa_distance(&other.to_lowercase(), &name.to_lowercase()) <= 4);
            let near = nearest(name, others).and_then(|near| self.find(near));
            let near = near.map_or_else(String::new, |found| {
                let line = self.part.text[..found.offset].matches('\n').count() + 1;
                format!("; is '{}' in line {line} meant to be it?", found.name)
            });
            let from = if environment == &*self.part.path { String::new() } else { format!("{}: ", self.part.path) };
            Error::Environment { name: environment.to_owned(), reason: format!("{from}it lacks `{what}`{near}") }
        };
        let actions: Vec<&Declaration> =
            ["ACTION_COUNT", "ACTION_COUNTS", "ACTION_DIM"].iter().filter_map(|name| self.find(name)).collect();
        match actions[..] {
            [] => {
                return Err(missing("const ACTION_COUNT: u32 = …;` or `const ACTION_DIM: u32 = …;"));
            }
            [one] if matches!(one.kind, Kind::Constant | Kind::Override) => {}
            [one] => return Err(self.complaint(&one.name, "it must be a const or an override")),
            [_, second, ..] => {
                let reason = "an environment has one kind of actions: ACTION_COUNT, ACTION_COUNTS or ACTION_DIM";
                return Err(self.complaint(&second.name, reason));
            }
        }
        let bounds = ["ACTION_LOW", "ACTION_HIGH"];
        for name in ["OBSERVATION_DIM", "MAX_EPISODE_STEPS"].iter().chain(&bounds) {
            let wanted = !bounds.contains(name) || actions[0].name == "ACTION_DIM";
            let kind = if bounds.contains(name) { "f32" } else { "u32" };
            match self.find(name) {
                None if wanted => return Err(missing(&format!("const {name}: {kind} = …;"))),
                Some(found) if !matches!(found.kind, Kind::Constant | Kind::Override) => {
                    return Err(self.complaint(name, "it must be a const or an override"));
                }
                Some(_) if !wanted => return Err(self.complaint(name, "bounds are for actions with ACTION_DIM only")),
                _ => {}
            }
        }
        if self.find("State").is_none_or(|found| found.kind != Kind::Struct) {
            return Err(missing("struct State { … }"));
        }
        if self.has_features() && self.has_function(OBSERVE.0) {
            let reason = "an environment observes in one way: env_observe, or env_feature where there is much to see";
            return Err(self.complaint(FEATURE.0, reason));
        }
        let absent = if self.has_features() { OBSERVE } else { FEATURE };
        for (name, shape) in FUNCTIONS.into_iter().filter(|function| *function != absent) {
            if !self.has_function(name) {
                return Err(missing(shape));
            }
        }
        Ok(())
    }

    /// Whether it makes its observation number by number.
    pub fn has_features(&self) -> bool {
        self.has_function(FEATURE.0)
    }

    fn has_function(&self, name: &str) -> bool {
        self.find(name).is_some_and(|found| found.kind == Kind::Function)
    }

    /// What the file declares; `linked` holds its constants.
    pub fn spec(&self, linked: &Linked) -> Result<Spec> {
        let positive = |name: &str| {
            let value = self.word(linked, name)?;
            if (1..=LARGEST_SPACE).contains(&value) {
                return Ok(value);
            }
            Err(self.complaint(name, &format!("{value} is not allowed; it must be from 1 to {LARGEST_SPACE}")))
        };
        let max_episode_steps = self.word(linked, "MAX_EPISODE_STEPS")?;
        if max_episode_steps > LONGEST_EPISODE {
            let reason =
                format!("{max_episode_steps} is not allowed; it must be at most {LONGEST_EPISODE}, or 0 for no limit");
            return Err(self.complaint("MAX_EPISODE_STEPS", &reason));
        }
        let masked = self.has_function(MASK.0);
        let action_space = if self.find("ACTION_COUNT").is_some() {
            ActionSpace::Discrete { count: positive("ACTION_COUNT")?, masked }
        } else if self.find("ACTION_COUNTS").is_some() {
            let counts: Option<Vec<u32>> = self.values(linked, "ACTION_COUNTS")?.iter().map(word).collect();
            let counts = counts.ok_or_else(|| self.complaint("ACTION_COUNTS", "it must be an array of u32"))?;
            if counts.contains(&0)
                || counts.iter().map(|&count| u64::from(count)).sum::<u64>() > u64::from(LARGEST_SPACE)
            {
                let reason = format!("{counts:?} is not allowed; each must be at least 1, all at most {LARGEST_SPACE}");
                return Err(self.complaint("ACTION_COUNTS", &reason));
            }
            ActionSpace::MultiDiscrete { counts, masked }
        } else {
            let dim = positive("ACTION_DIM")?;
            let (low, high) = (self.bounds(linked, "ACTION_LOW", dim)?, self.bounds(linked, "ACTION_HIGH", dim)?);
            if let Some(i) = (0..low.len()).find(|&i| low[i] >= high[i]) {
                let reason = format!("{} of number {i} is not above ACTION_LOW, {}", high[i], low[i]);
                return Err(self.complaint("ACTION_HIGH", &reason));
            }
            if masked {
                return Err(self.complaint(MASK.0, "only discrete actions can be masked"));
            }
            ActionSpace::Box { low, high }
        };
        Ok(Spec {
            observation_dim: positive("OBSERVATION_DIM")?,
            action_space,
            max_episode_steps,
            reward_threshold: self.optional_float(linked, "REWARD_THRESHOLD")?,
        })
    }

    /// Whether both bounds stand for every number at once.
    pub fn same_bounds(&self, linked: &Linked) -> Result<bool> {
        let single = |name: &str| Ok(self.values(linked, name)?.len() == 1 && !is_array(linked, name));
        let (low, high): (bool, bool) = (single("ACTION_LOW")?, single("ACTION_HIGH")?);
        if low == high {
            return Ok(low);
        }
        Err(self.complaint("ACTION_HIGH", "give both bounds as an f32, or both as an array"))
    }

    fn bounds(&self, linked: &Linked, name: &str, dim: u32) -> Result<Vec<f32>> {
        let number = |literal: &naga::Literal| match literal {
            naga::Literal::F32(value) => Some(*value),
            _ => None,
        };
        let values: Option<Vec<f32>> = self.values(linked, name)?.iter().map(number).collect();
        let values = values.ok_or_else(|| self.complaint(name, "it must be an f32, or an array of them"))?;
        match values[..] {
            [one] if !is_array(linked, name) => Ok(vec![one; dim as usize]),
            _ if values.len() == dim as usize => Ok(values),
            _ => Err(self.complaint(name, &format!("it has {} numbers, ACTION_DIM is {dim}", values.len()))),
        }
    }

    /// Checks that the contract's functions take and return what they should.
    pub fn check_functions(&self, linked: &Linked, spec: &Spec) -> Result<()> {
        let module = linked.module();
        let space = &spec.action_space;
        let action = match space {
            ActionSpace::Discrete { .. } => "u32".to_owned(),
            ActionSpace::MultiDiscrete { counts, .. } => format!("array<u32, {}>", counts.len()),
            ActionSpace::Box { low, .. } => format!("array<f32, {}>", low.len()),
        };
        let observation = format!("array<f32, {}>", spec.observation_dim);
        let mask = format!("array<bool, {}>", space.choices());
        let step = ["ptr State".to_owned(), action, "ptr Rng".to_owned()];
        let state = ["State".to_owned()];
        let feature = ["State".to_owned(), "u32".to_owned()];
        let pixel = ["State".to_owned(), "vec2 f32".to_owned()];
        let expected: [(&[String], &str); 6] = [
            (&step[2..], "State"),
            (&step, "Outcome"),
            (&state, &observation),
            (&feature, "f32"),
            (&state, &mask),
            (&pixel, "vec3 f32"),
        ];
        for ((name, shape), (arguments, result)) in FUNCTIONS.iter().chain([&MASK, &PIXEL]).zip(expected) {
            if !self.has_function(name) {
                continue; // the one that is not there may be absent
            }
            let found = module.functions.iter().find(|(_, function)| function.name.as_deref() == Some(name));
            let fits = found.is_some_and(|(_, function)| {
                let given = function.arguments.iter().map(|argument| type_name(module, &module.types[argument.ty]));
                let gives = function.result.as_ref().map(|value| type_name(module, &module.types[value.ty]));
                given.eq(arguments.iter().cloned()) && gives.as_deref() == Some(result)
            });
            if !fits {
                return Err(self.complaint(name, &format!("expected `{shape}`")));
            }
        }
        Ok(())
    }

    /// The literals of a constant: one, or those of an array.
    fn values(&self, linked: &Linked, name: &str) -> Result<Vec<naga::Literal>> {
        let module = linked.module();
        let found = module.constants.iter().find(|(_, constant)| constant.name.as_deref() == Some(name));
        let Some((_, constant)) = found else {
            // naga drops constants of abstract type
            let reason = "say its type, as in `const NAME: u32 = 1u;` or `const NAME: f32 = 1.0;`";
            return Err(self.complaint(name, reason));
        };
        let literal = |handle: naga::Handle<naga::Expression>| match &module.global_expressions[handle] {
            naga::Expression::Literal(literal) => Some(*literal),
            _ => None,
        };
        let values = match &module.global_expressions[constant.init] {
            naga::Expression::Compose { components, .. } => components.iter().map(|&part| literal(part)).collect(),
            _ => literal(constant.init).map(|literal| vec![literal]),
        };
        values.ok_or_else(|| self.complaint(name, "it must be a number, or an array of numbers"))
    }

    /// The literal of a constant that must be a single one.
    pub(super) fn single(&self, linked: &Linked, name: &str) -> Result<naga::Literal> {
        match self.values(linked, name)?[..] {
            [literal] => Ok(literal),
            _ => Err(self.complaint(name, "it must be a single number")),
        }
    }

    /// Value of a constant that must be a `u32`.
    fn word(&self, linked: &Linked, name: &str) -> Result<u32> {
        word(&self.single(linked, name)?).ok_or_else(|| self.complaint(name, "it must be a u32"))
    }

    /// Value of a constant that must be an `f32` where it is there.
    fn optional_float(&self, linked: &Linked, name: &str) -> Result<Option<f32>> {
        if self.find(name).is_none() {
            return Ok(None);
        }
        match self.single(linked, name)? {
            naga::Literal::F32(value) => Ok(Some(value)),
            _ => Err(self.complaint(name, "it must be an f32")),
        }
    }
}

fn is_array(linked: &Linked, name: &str) -> bool {
    let module = linked.module();
    let found = module.constants.iter().find(|(_, constant)| constant.name.as_deref() == Some(name));
    found.is_some_and(|(_, constant)| matches!(module.types[constant.ty].inner, TypeInner::Array { .. }))
}

fn word(literal: &naga::Literal) -> Option<u32> {
    match literal {
        naga::Literal::U32(word) => Some(*word),
        _ => None,
    }
}

fn type_name(module: &Module, kind: &Type) -> String {
    match (&kind.name, &kind.inner) {
        (_, TypeInner::Scalar(naga::Scalar::U32)) => "u32".to_owned(),
        (_, TypeInner::Scalar(naga::Scalar::F32)) => "f32".to_owned(),
        (_, TypeInner::Scalar(naga::Scalar::BOOL)) => "bool".to_owned(),
        (_, TypeInner::Vector { size, scalar: naga::Scalar::F32 }) => format!("vec{} f32", *size as u32),
        (_, TypeInner::Pointer { base, .. }) => format!("ptr {}", type_name(module, &module.types[*base])),
        (_, TypeInner::Array { base, size: naga::ArraySize::Constant(count), .. }) => {
            format!("array<{}, {count}>", type_name(module, &module.types[*base]))
        }
        (Some(name), _) => name.clone(),
        _ => String::new(),
    }
}

/// A literal as a number.
pub(super) fn number(literal: naga::Literal) -> Option<f64> {
    match literal {
        naga::Literal::F32(value) => {
            // the shortest decimal that means the same f32: what the author wrote
            value.to_string().parse().ok()
        }
        naga::Literal::U32(value) => Some(f64::from(value)),
        naga::Literal::I32(value) => Some(f64::from(value)),
        naga::Literal::Bool(value) => Some(f64::from(u8::from(value))),
        _ => None,
    }
}
