//! Joins parts into one module, keeps track of where every byte came from, and reads the result with naga.

use super::expand::expand;
use super::source::{Part, Traced};
use super::{Constants, SharedStruct, built_in_text};
use crate::error::{Error, Result};
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

    /// The same with texts put in before some of its bytes, in ascending order.
    #[must_use]
    pub(crate) fn source_with(mut self, path: &str, text: &str, inserted: &[(usize, String)]) -> Self {
        self.parts.push(Part { inserted: inserted.into(), ..Part::new(path, text) });
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

    /// Adds a shared struct to the prelude.
    #[must_use]
    pub fn shared<T: SharedStruct>(mut self) -> Self {
        self.structs += &T::declaration();
        self
    }

    /// Sets an `override` of the parts.
    #[must_use]
    pub fn set(mut self, name: &str, value: f64) -> Self {
        self.overrides.push((name.to_owned(), value));
        self
    }

    /// Joins the parts, parses and validates the module.
    ///
    /// # Errors
    /// [`Error::Shader`] with the part's own file, line and column, and a caret under the place.
    pub fn link(&self) -> Result<Linked> {
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
        let module = naga::front::wgsl::parse_str(&traced.text).map_err(|error| {
            let first = error.labels().next().map(|(span, label)| (span.to_range(), label.to_owned()));
            let (span, label) = first.unwrap_or((None, String::new()));
            complain(span, error.message(), &label)
        })?;
        let flags = naga::valid::ValidationFlags::all();
        let capabilities = naga::valid::Capabilities::SUBGROUP;
        let mut validator = naga::valid::Validator::new(flags, capabilities);
        validator
            .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
            .subgroup_operations(naga::valid::SubgroupOperationSet::all());
        let info = validator.validate(&module).map_err(|error| {
            let first = error.spans().next().map(|(span, label)| (span.to_range(), label.clone()));
            let (span, label) = first.unwrap_or((None, String::new()));
            let mut message = error.as_inner().to_string();
            let mut source = std::error::Error::source(error.as_inner());
            while let Some(cause) = source {
                message += &format!(": {cause}");
                source = cause.source();
            }
            complain(span, &message, &label)
        })?;
        for (name, _) in &self.overrides {
            if !module.overrides.iter().any(|(_, o)| o.name.as_ref() == Some(name)) {
                return Err(Error::Shader(format!("kernel {}: there is no override '{name}' to set", self.name)));
            }
        }
        Ok(Linked { name: self.name.clone(), source: traced.text, overrides: self.overrides.clone(), module, info })
    }
}

/// A linked kernel: valid WGSL and what naga knows about it.
#[derive(Debug)]
pub struct Linked {
    name: String,
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

    /// The whole module as WGSL.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The module in naga's form.
    pub fn module(&self) -> &naga::Module {
        &self.module
    }

    /// What naga's validation found out about the module.
    pub fn info(&self) -> &naga::valid::ModuleInfo {
        &self.info
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
