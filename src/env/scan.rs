//! The outermost names of an environment's file, found before anything is parsed.

use crate::error::{Error, Result};
use crate::shader::{Linked, Part, comment_end};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Constant,
    Override,
    Struct,
    Function,
    Alias,
    Variable,
}

/// An outermost declaration.
#[derive(Clone, Debug)]
pub(super) struct Declaration {
    pub kind: Kind,
    pub name: String,
    pub offset: usize,
}

/// A file and its outermost declarations.
pub(super) struct File {
    environment: String,
    part: Part,
    declarations: Vec<Declaration>,
    /// Whether a function loops.
    pub loops: bool,
}

/// Functions that every environment has, and how they look.
const FUNCTIONS: &[(&str, &str)] = &[
    ("env_reset", "fn env_reset(rng: ptr<function, Rng>) -> State"),
    ("env_step", "fn env_step(s: ptr<function, State>, action: Action, rng: ptr<function, Rng>) -> Outcome"),
    ("env_observe", "fn env_observe(s: State) -> Observation"),
];

impl File {
    pub fn new(environment: &str, path: &str, text: &str) -> Result<Self> {
        let part = Part::new(path, text);
        let mut declarations = Vec::new();
        let (mut at, mut depth) = (0, 0_i32);
        let mut pending = None;
        let mut loops = false;
        while at < text.len() {
            let rest = &text[at..];
            if let Some(length) = comment_end(rest) {
                at += length;
                continue;
            }
            let first = rest.chars().next().unwrap_or(' ');
            if first.is_alphanumeric() || first == '_' {
                let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let word = &rest[..length];
                loops |= ["for", "while", "loop", "unroll"].contains(&word);
                if let Some(kind) = pending.take() {
                    declarations.push(Declaration { kind, name: word.to_owned(), offset: at });
                } else if depth == 0 {
                    pending = match word {
                        "const" => Some(Kind::Constant),
                        "override" => Some(Kind::Override),
                        "struct" => Some(Kind::Struct),
                        "fn" => Some(Kind::Function),
                        "alias" => Some(Kind::Alias),
                        _ => None,
                    };
                    if word == "var" {
                        declarations.push(Declaration { kind: Kind::Variable, name: word.to_owned(), offset: at });
                    }
                }
                at += length;
                continue;
            }
            match first {
                '{' | '(' => depth += 1,
                '}' | ')' => depth -= 1,
                '@' if depth == 0 => {
                    let message =
                        "error: an environment declares no bindings and no entry points; the engine owns them";
                    return Err(Error::Shader(part.complain(at, 1, message, "remove this attribute")));
                }
                _ => {}
            }
            at += first.len_utf8();
        }
        Ok(Self { environment: environment.to_owned(), part, declarations, loops })
    }

    /// Checks that what every environment needs is there, and that nothing is there that it must not have.
    pub fn check(&self) -> Result<()> {
        for found in &self.declarations {
            let reserved = ["mw_", "MW_", "Mw"].iter().any(|prefix| found.name.starts_with(prefix))
                || ["Lane", "LaneWord", "LaneAction", "Element"].contains(&found.name.as_str());
            if reserved {
                return Err(self.complaint(
                    &found.name,
                    "this name, and those that begin with mw_, MW_ or Mw, are the engine's; choose another one",
                ));
            }
            if found.kind == Kind::Variable {
                let message =
                    "error: an environment keeps nothing but its State; put this into State or make it a const";
                return Err(Error::Shader(self.part.complain(found.offset, 3, message, "")));
            }
        }
        if let Some(found) = self.find("ACTION_DIM").or_else(|| self.find("ACTION_COUNTS")) {
            return Err(
                self.complaint(&found.name, "only discrete actions are supported yet: `const ACTION_COUNT: u32 = …;`")
            );
        }
        for name in ["OBSERVATION_DIM", "ACTION_COUNT", "MAX_EPISODE_STEPS"] {
            if self.find(name).is_none_or(|found| found.kind != Kind::Constant) {
                return Err(self.missing(&format!("const {name}: u32 = …;")));
            }
        }
        if self.find("State").is_none_or(|found| found.kind != Kind::Struct) {
            return Err(self.missing("struct State { … }"));
        }
        for (name, shape) in FUNCTIONS {
            if !self.declarations.iter().any(|found| found.is_function(name)) {
                return Err(self.missing(shape));
            }
        }
        Ok(())
    }

    /// Checks that the contract's functions take and return what they should.
    pub fn check_functions(&self, linked: &Linked) -> Result<()> {
        let module = linked.module();
        let type_name =
            |handle: naga::Handle<naga::Type>| match (&module.types[handle].name, &module.types[handle].inner) {
                (Some(name), _) => name.clone(),
                (None, naga::TypeInner::Scalar(naga::Scalar::U32)) => "Action".to_owned(),
                (None, naga::TypeInner::Pointer { base, .. }) => {
                    format!("ptr {}", module.types[*base].name.as_deref().unwrap_or_default())
                }
                (None, naga::TypeInner::Array { .. }) => "Observation".to_owned(),
                _ => String::new(),
            };
        let expected: [(&[&str], &str); 3] =
            [(&["ptr Rng"], "State"), (&["ptr State", "Action", "ptr Rng"], "Outcome"), (&["State"], "Observation")];
        for ((name, shape), (arguments, result)) in FUNCTIONS.iter().zip(expected) {
            let found = module.functions.iter().find(|(_, function)| function.name.as_deref() == Some(name));
            let fits = found.is_some_and(|(_, function)| {
                function.arguments.iter().map(|argument| type_name(argument.ty)).eq(arguments.iter().copied())
                    && function.result.as_ref().is_some_and(|value| type_name(value.ty) == result)
            });
            if !fits {
                return Err(self.complaint(name, &format!("expected `{shape}`")));
            }
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<&Declaration> {
        self.declarations.iter().find(|found| found.name == name)
    }

    fn missing(&self, what: &str) -> Error {
        let reason = format!("{} lacks `{what}`", self.part.path);
        Error::Environment { name: self.environment.clone(), reason }
    }

    /// An error at the declaration of a name.
    pub fn complaint(&self, name: &str, reason: &str) -> Error {
        let offset = self.find(name).map_or(0, |found| found.offset);
        Error::Shader(self.part.complain(offset, name.len(), &format!("error: {name}: {reason}"), ""))
    }

    fn value(&self, linked: &Linked, name: &str) -> Result<Option<naga::Literal>> {
        if self.find(name).is_none() {
            return Ok(None);
        }
        let module = linked.module();
        let found = module.constants.iter().find(|(_, constant)| constant.name.as_deref() == Some(name));
        match found.map(|(_, constant)| &module.global_expressions[constant.init]) {
            Some(naga::Expression::Literal(literal)) => Ok(Some(*literal)),
            Some(_) => Err(self.complaint(name, "it must be a single number")),
            // naga drops constants of abstract type
            None => {
                Err(self.complaint(name, "say its type, as in `const NAME: u32 = 1u;` or `const NAME: f32 = 1.0;`"))
            }
        }
    }

    /// Value of a constant that must be a `u32`.
    pub fn word(&self, linked: &Linked, name: &str) -> Result<u32> {
        match self.value(linked, name)? {
            Some(naga::Literal::U32(word)) => Ok(word),
            _ => Err(self.complaint(name, "it must be a u32")),
        }
    }

    /// Value of a constant that must be an `f32` where it is there.
    pub fn optional_float(&self, linked: &Linked, name: &str) -> Result<Option<f32>> {
        match self.value(linked, name)? {
            None => Ok(None),
            Some(naga::Literal::F32(value)) => Ok(Some(value)),
            Some(_) => Err(self.complaint(name, "it must be an f32")),
        }
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
