//! Joins parts into one module, keeps track of where every byte came from, and reads the result with naga.

use super::alias::without_aliases;
use super::expand::expand;
use super::source::{Edit, Part, Traced};
use super::{Constants, SharedStruct, built_in_text, carefully, opaque, slips};
use crate::error::{Error, Result, shown};
use naga::{Module, Span};
use std::collections::HashMap;

/// A kernel before it is linked: constants, shared structs and parts.
///
/// ```
/// # fn main() -> manyworlds::Result<()> {
/// let linked = manyworlds::shader::Program::new("reset")
///     .part("part/thread.wgsl")?
///     .source("my_kernel.wgsl", "@compute @workgroup_size(1) fn mw_main() {}")
///     .word("MW_WORKGROUP", 64)
///     .word("MW_SHARE", 1)
///     .link()?;
/// assert!(linked.source().contains("fn mw_thread"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Program {
    name: String,
    /// The environment from elsewhere that it is linked with.
    foreign: Option<String>,
    constants: Constants,
    structs: String,
    parts: Vec<Part>,
    overrides: Vec<(String, f64)>,
}

impl Program {
    /// A kernel with this name and no parts.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            foreign: None,
            constants: Constants::default(),
            structs: String::new(),
            parts: Vec::new(),
            overrides: Vec::new(),
        }
    }

    /// Adds a built-in part by its path under `shaders/`.
    ///
    /// # Errors
    /// [`Error::Shader`] where there is no such file.
    pub fn part(self, path: &str) -> Result<Self> {
        let text =
            built_in_text(path).ok_or_else(|| Error::Shader(format!("there is no shader part 'shaders/{path}'")))?;
        Ok(self.source(&format!("shaders/{path}"), text))
    }

    /// Adds several built-in parts.
    ///
    /// # Errors
    /// [`Error::Shader`] where one of them does not exist.
    pub fn parts(self, paths: &[&str]) -> Result<Self> {
        paths.iter().try_fold(self, |program, path| program.part(path))
    }

    /// Adds a part from anywhere; `path` is what errors in it are reported under.
    #[must_use]
    pub fn source(mut self, path: &str, text: &str) -> Self {
        self.parts.push(Part::new(path, text));
        self
    }

    /// The same with some of its bytes changed, in ascending order.
    #[must_use]
    pub(crate) fn source_with(mut self, path: &str, text: &str, edits: &[Edit]) -> Self {
        self.parts.push(Part { edits: edits.into(), ..Part::new(path, text) });
        self
    }

    /// Says whose the errors of this kernel are: those of an environment from elsewhere.
    #[must_use]
    pub(crate) fn foreign(mut self, environment: &str) -> Self {
        self.foreign = Some(environment.to_owned());
        self
    }

    /// Adds a word to the prelude.
    #[must_use]
    pub fn word(mut self, name: &str, value: u32) -> Self {
        self.constants.word(name, value);
        self
    }

    /// Adds constants to the prelude.
    #[must_use]
    pub fn constants(mut self, constants: &Constants) -> Self {
        self.constants.extend(constants);
        self
    }

    /// Adds shared structs to the prelude.
    #[must_use]
    pub fn structs(mut self, structs: &[SharedStruct]) -> Self {
        self.structs.extend(structs.iter().map(SharedStruct::declaration));
        self
    }

    /// Sets an `override` of the parts.
    #[must_use]
    pub fn set(mut self, name: &str, value: f64) -> Self {
        self.overrides.push((name.to_owned(), value));
        self
    }

    /// The kernel's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Paths of its parts, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| &*part.path)
    }

    /// Bytes of its parts together: a measure of how long it takes to compile.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.text.len()).sum()
    }

    /// Whether it has no parts.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Values of its overrides, the last one of each name counting.
    pub fn overrides(&self) -> &[(String, f64)] {
        &self.overrides
    }

    /// BLAKE3 of all that the linked kernel follows from.
    pub fn key(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(&self.name);
        add(&format!("{:?} {:?}", self.foreign, self.overrides));
        add(&self.constants.declarations());
        add(&self.structs);
        for part in &self.parts {
            add(&part.path);
            add(&part.text);
            add(&format!("{:?}", part.edits));
        }
        *hasher.finalize().as_bytes()
    }

    /// Joins the parts, parses and validates the module.
    ///
    /// # Errors
    /// [`Error::Shader`] with the part's own file, line and column, and a caret under the place.
    pub fn link(&self) -> Result<Linked> {
        self.link_checked(|_, _| Ok(()))
    }

    /// The same with a look at the module and the text that it was read from, before it is validated: what is refused, and
    /// where.
    pub(crate) fn link_checked(&self, check: impl Fn(&Module, &str) -> Looked + Sync) -> Result<Linked> {
        let what = described(&self.name, self.foreign.as_deref());
        carefully(&what, || self.link_here(&check)).map_err(|error| match (error, &self.foreign) {
            (Error::Shader(text), Some(_)) => Error::EnvironmentFile(text),
            (error, _) => error,
        })
    }

    fn link_here(&self, check: &dyn Fn(&Module, &str) -> Looked) -> Result<Linked> {
        let prelude = format!("{}{}", self.constants.declarations(), self.structs);
        let prelude = Part::new(format!("prelude of {}", self.name), prelude);
        let mut parts = vec![prelude];
        parts.extend(self.parts.iter().cloned());
        let mut traced = Traced::default();
        let mut bindings = 0;
        for (index, part) in parts.iter().enumerate() {
            expand(part, index, &self.constants, &mut bindings, &mut traced)?;
            traced.push_made("\n", index, part.text.len());
        }

        let complain = |span: Option<std::ops::Range<usize>>, message: &str, label: &str| {
            let range = span.unwrap_or(0..1);
            let (part, offset) = traced.origin(range.start);
            Error::Shader(parts[part].complain(offset, range.len(), &format!("error: {message}"), label))
        };
        let tell = |told: slips::Told| complain(told.place, &told.message, &told.label);
        let mut module = naga::front::wgsl::parse_str(&traced.text).map_err(|error| {
            // what comes from elsewhere, and not from us
            let own = parts.iter().rposition(|part| {
                !part.edits.is_empty() || part.path.ends_with(".wgsl") && !part.path.starts_with("shaders/")
            });
            let own = own.and_then(|part| traced.range(part));
            tell(slips::of_parsing(&error, &traced.text, own))
        })?;
        check(&module, &traced.text).map_err(|(span, message)| complain(span.to_range(), &message, ""))?;
        opaque::hide(&mut module);
        let flags = naga::valid::ValidationFlags::all();
        let capabilities = naga::valid::Capabilities::SUBGROUP;
        let mut validator = naga::valid::Validator::new(flags, capabilities);
        validator
            .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
            .subgroup_operations(naga::valid::SubgroupOperationSet::all());
        let validated = validator.validate(&module);
        let info = validated.map_err(|error| tell(slips::of_validation(&error, &module, &traced.text)))?;
        for (name, _) in &self.overrides {
            if !module.overrides.iter().any(|(_, o)| o.name.as_ref() == Some(name)) {
                return Err(Error::Shader(format!("kernel {}: there is no override '{name}' to set", self.name)));
            }
        }
        let (name, foreign, overrides) = (self.name.clone(), self.foreign.clone(), self.overrides.clone());
        Ok(Linked { name, foreign, source: traced.text, overrides, module, info })
    }
}

/// What is refused at a look, and where in the linked text.
pub(crate) type Looked = std::result::Result<(), (Span, String)>;

/// A kernel in words.
fn described(name: &str, foreign: Option<&str>) -> String {
    match foreign {
        Some(environment) => format!("kernel {name} of environment '{}'", shown(environment)),
        None => format!("kernel {name}"),
    }
}

/// A linked kernel: valid WGSL and what naga knows about it.
#[derive(Debug)]
pub struct Linked {
    name: String,
    foreign: Option<String>,
    source: String,
    overrides: Vec<(String, f64)>,
    module: naga::Module,
    info: naga::valid::ModuleInfo,
}

impl Linked {
    /// The kernel's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kernel and its environment in words.
    pub(crate) fn described(&self) -> String {
        described(&self.name, self.foreign.as_deref())
    }

    /// An error of this kernel, which is its environment's where that is not ours.
    pub(crate) fn refused(&self, text: String) -> Error {
        if self.foreign.is_some() { Error::EnvironmentFile(text) } else { Error::Shader(text) }
    }

    /// The whole module as WGSL.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The module in naga's form, its conditions hidden from drivers that would compile it anew for each value of a uniform.
    pub fn module(&self) -> &naga::Module {
        &self.module
    }

    /// The same for compilers: aliases of a type are that type, since naga would define what belongs to it twice.
    pub fn plain_module(&self) -> naga::Module {
        without_aliases(&self.module)
    }

    /// What naga's validation found out about the module.
    pub fn info(&self) -> &naga::valid::ModuleInfo {
        &self.info
    }

    /// How many conditions of the module are made of uniforms and constants alone: none, so that no driver compiles it anew
    /// for their values.
    pub fn known_conditions(&self) -> usize {
        opaque::count(&self.module)
    }

    /// Values for the module's overrides.
    pub fn overrides(&self) -> &[(String, f64)] {
        &self.overrides
    }

    /// Workgroup size of the entry point `mw_main`.
    pub fn workgroup_size(&self) -> u32 {
        self.module.entry_points.first().map_or(1, |entry| entry.workgroup_size.iter().product())
    }

    /// Name and binding number of every buffer that the entry point uses.
    pub fn bindings(&self) -> HashMap<String, u32> {
        let mut bindings = HashMap::new();
        if self.module.entry_points.is_empty() {
            return bindings;
        }
        let used = self.info.get_entry_point(0);
        for (handle, variable) in self.module.global_variables.iter() {
            if let (Some(binding), Some(name), false) = (variable.binding, &variable.name, used[handle].is_empty()) {
                bindings.insert(name.clone(), binding.binding);
            }
        }
        bindings
    }
}
