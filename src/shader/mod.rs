//! Shaders as parts and slots: what is linked, how, and what an error in it looks like.
//!
//! A kernel is a list of parts: the prelude (constants and shared structs), library parts, one choice for each slot,
//! and the kernel itself. See [`Program`].

mod alias;
mod careful;
mod expand;
mod linker;
mod opaque;
mod shared;
mod slips;
mod source;

pub use linker::{Linked, Program};
pub use shared::SharedStruct;

pub(crate) use careful::carefully;
pub(crate) use expand::comment_end;
pub(crate) use source::{Edit, Part};

/// Path under `shaders/` and text of every file, as `build.rs` has found them.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/shaders.rs"));

/// Paths of every shader file that is built in, such as `serial.wgsl` or `slot/lane/four.wgsl`.
pub fn built_in() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(path, _)| *path)
}

/// Text of a built-in shader file.
pub fn built_in_text(path: &str) -> Option<&'static str> {
    FILES.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
}

/// A constant of the prelude.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// `const NAME: u32`
    Word(u32),
    /// `const NAME: array<u32, N>`
    Words(Vec<u32>),
    /// `const NAME: f32`
    Number(f32),
    /// `const NAME: array<f32, N>`
    Numbers(Vec<f32>),
}

/// The constants of a prelude, in the order in which they are printed.
#[derive(Clone, Debug, Default)]
pub struct Constants(Vec<(String, Constant)>);

impl Constants {
    /// Adds one; a name that is there already is replaced.
    pub fn set(&mut self, name: &str, value: Constant) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value));
    }

    /// Adds a word.
    pub fn word(&mut self, name: &str, value: u32) {
        self.set(name, Constant::Word(value));
    }

    /// Adds a list of words.
    pub fn words(&mut self, name: &str, values: impl Into<Vec<u32>>) {
        self.set(name, Constant::Words(values.into()));
    }

    /// Adds a finite number.
    pub fn number(&mut self, name: &str, value: f32) {
        self.set(name, Constant::Number(value));
    }

    /// Adds a list of finite numbers.
    pub fn numbers(&mut self, name: &str, values: impl Into<Vec<f32>>) {
        self.set(name, Constant::Numbers(values.into()));
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: &Self) {
        for (name, value) in &other.0 {
            self.set(name, value.clone());
        }
    }

    /// Value of a constant.
    pub fn get(&self, name: &str) -> Option<&Constant> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The declarations in WGSL.
    pub fn declarations(&self) -> String {
        let line = |(name, value): &(String, Constant)| match value {
            Constant::Word(word) => format!("const {name}: u32 = {word}u;\n"),
            Constant::Number(number) => format!("const {name}: f32 = {number:?}f;\n"),
            Constant::Numbers(numbers) => {
                let list: Vec<String> = numbers.iter().map(|number| format!("{number:?}f")).collect();
                format!("const {name} = array<f32, {}>({});\n", numbers.len(), list.join(", "))
            }
            Constant::Words(words) => {
                let list: Vec<String> = words.iter().map(|word| format!("{word}u")).collect();
                format!("const {name} = array<u32, {}>({});\n", words.len(), list.join(", "))
            }
        };
        self.0.iter().map(line).collect()
    }
}
