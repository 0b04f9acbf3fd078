//! What an environment may consist of: a list of what is allowed in naga's form of it, so that what a later naga or WGSL adds
//! is refused until somebody has looked at it. A world sees its own state, its action and its random numbers, and nothing
//! through which another world could be seen or waited for.

use super::scan::File;
use naga::{
    AddressSpace, ArraySize, Block, Expression, Function, Handle, MathFunction as M, Module, RelationalFunction,
    ScalarKind, Span, Statement, TypeInner,
};
use std::collections::{HashMap, HashSet};

/// Expressions and statements of a function with those of all that it calls, each as often as it is called: what a driver's
/// compiler sees, since it inlines.
const LARGEST: u64 = 1 << 18;

/// What is refused, and where.
type Refusal = (Span, String);

impl File {
    /// Refuses what is not on the list; `text` is what `module` was read from.
    pub fn check_allowed(&self, module: &Module, text: &str) -> Result<(), Refusal> {
        let own: HashSet<&str> = self.declarations.iter().map(|found| found.name.as_str()).collect();
        let at = |span: Span| span.to_range().and_then(|range| text.get(range)).unwrap_or_default();
        let refuse = |span: Span, what: &str| {
            let name: String = at(span).chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect();
            let subject = if name.is_empty() { "this".to_owned() } else { format!("'{name}'") };
            let reason = format!(
                "{subject} is not for environments: {what}; a world has its state, its action and its random numbers"
            );
            Err((span, reason))
        };
        if module.global_variables.iter().any(|(_, variable)| !engines(variable.name.as_deref())) {
            let reason = "an environment keeps nothing but its State; put this into State or make it a const";
            return Err((Span::UNDEFINED, reason.to_owned()));
        }
        for (handle, kind) in module.types.iter() {
            if let Some(what) = refused_type(&kind.inner) {
                return refuse(module.types.get_span(handle), what);
            }
        }
        let guard =
            module.functions.iter().find(|(_, f)| f.name.as_deref() == Some("mw_spin")).map(|(handle, _)| handle);
        let mut sizes: HashMap<Handle<Function>, u64> = HashMap::new();
        for (handle, function) in module.functions.iter() {
            let name = function.name.as_deref().unwrap_or_default();
            let is_own = own.contains(name);
            for (expression, kind) in function.expressions.iter().filter(|_| is_own) {
                if let Some(what) = refused_expression(kind) {
                    return refuse(function.expressions.get_span(expression), what);
                }
            }
            let mut walk = Walk { guard, sizes: &sizes, size: function.expressions.len() as u64 };
            match walk.block(&function.body, is_own) {
                Err((span, what)) => return refuse(span, what),
                Ok(()) if walk.size > LARGEST => {
                    let reason = format!(
                        "'{name}' comes to more than {LARGEST} operations where all that it calls is counted each time; \
                         make it smaller"
                    );
                    return Err((module.functions.get_span(handle), reason));
                }
                Ok(()) => {}
            }
            let size = walk.size;
            sizes.insert(handle, size);
        }
        Ok(())
    }
}

/// Whether the engine has made this.
fn engines(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.starts_with("mw_"))
}

fn refused_type(kind: &TypeInner) -> Option<&'static str> {
    let known = |scalar: &naga::Scalar| match scalar.kind {
        ScalarKind::Sint | ScalarKind::Uint | ScalarKind::Float => scalar.width == 4,
        // those are gone when a shader is valid
        ScalarKind::Bool | ScalarKind::AbstractInt | ScalarKind::AbstractFloat => true,
    };
    match kind {
        TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. } | TypeInner::Matrix { scalar, .. } => {
            (!known(scalar)).then_some("its numbers are f32, u32, i32 and bool")
        }
        TypeInner::Array { size: ArraySize::Constant(_), .. }
        | TypeInner::Struct { .. }
        | TypeInner::Pointer { space: AddressSpace::Function, .. }
        | TypeInner::ValuePointer { space: AddressSpace::Function, .. } => None,
        TypeInner::Array { .. } => Some("its arrays have a constant length"),
        TypeInner::Pointer { .. } | TypeInner::ValuePointer { .. } => Some("its pointers are ptr<function, …>"),
        TypeInner::Atomic(_) => Some("worlds share nothing"),
        _ => Some("it has no such types"),
    }
}

fn refused_expression(kind: &Expression) -> Option<&'static str> {
    use Expression as E;
    match kind {
        E::Literal(_)
        | E::Constant(_)
        | E::Override(_)
        | E::ZeroValue(_)
        | E::Compose { .. }
        | E::Access { .. }
        | E::AccessIndex { .. }
        | E::Splat { .. }
        | E::Swizzle { .. }
        | E::FunctionArgument(_)
        | E::LocalVariable(_)
        | E::Load { .. }
        | E::Unary { .. }
        | E::Binary { .. }
        | E::Select { .. }
        | E::As { .. }
        | E::CallResult(_)
        | E::Relational { fun: RelationalFunction::All | RelationalFunction::Any, .. } => None,
        E::Math { fun, .. } if is_plain(*fun) => None,
        E::Relational { .. } | E::Math { .. } => Some("its functions are those of numbers that WGSL has everywhere"),
        E::GlobalVariable(_) => Some("it keeps nothing but its State"),
        E::Derivative { .. } => Some("derivatives look at other worlds"),
        E::SubgroupBallotResult | E::SubgroupOperationResult { .. } => Some("subgroups look at other worlds"),
        _ => Some("it has nothing of this kind"),
    }
}

/// Functions of numbers: the same for every world, whoever runs beside it.
fn is_plain(function: M) -> bool {
    matches!(
        function,
        M::Abs
            | M::Min
            | M::Max
            | M::Clamp
            | M::Saturate
            | M::Cos
            | M::Cosh
            | M::Sin
            | M::Sinh
            | M::Tan
            | M::Tanh
            | M::Acos
            | M::Asin
            | M::Atan
            | M::Atan2
            | M::Asinh
            | M::Acosh
            | M::Atanh
            | M::Radians
            | M::Degrees
            | M::Ceil
            | M::Floor
            | M::Round
            | M::Fract
            | M::Trunc
            | M::Modf
            | M::Frexp
            | M::Ldexp
            | M::Exp
            | M::Exp2
            | M::Log
            | M::Log2
            | M::Pow
            | M::Dot
            | M::Cross
            | M::Distance
            | M::Length
            | M::Normalize
            | M::FaceForward
            | M::Reflect
            | M::Refract
            | M::Sign
            | M::Fma
            | M::Mix
            | M::Step
            | M::SmoothStep
            | M::Sqrt
            | M::InverseSqrt
            | M::Transpose
            | M::Determinant
            | M::QuantizeToF16
            | M::CountTrailingZeros
            | M::CountLeadingZeros
            | M::CountOneBits
            | M::ReverseBits
            | M::ExtractBits
            | M::InsertBits
            | M::FirstTrailingBit
            | M::FirstLeadingBit
            | M::Pack4x8snorm
            | M::Pack4x8unorm
            | M::Pack2x16snorm
            | M::Pack2x16unorm
            | M::Pack2x16float
            | M::Unpack4x8snorm
            | M::Unpack4x8unorm
            | M::Unpack2x16snorm
            | M::Unpack2x16unorm
            | M::Unpack2x16float
            | M::Dot4I8Packed
            | M::Dot4U8Packed
            | M::Pack4xI8
            | M::Pack4xU8
            | M::Pack4xI8Clamp
            | M::Pack4xU8Clamp
            | M::Unpack4xI8
            | M::Unpack4xU8
    )
}

/// A walk through the statements of a function.
struct Walk<'a> {
    /// `mw_spin`, which the linker calls at the head of every loop.
    guard: Option<Handle<Function>>,
    /// Of the functions before, which are all that it can call.
    sizes: &'a HashMap<Handle<Function>, u64>,
    size: u64,
}

impl Walk<'_> {
    fn block(&mut self, block: &Block, own: bool) -> Result<(), (Span, &'static str)> {
        for (statement, &span) in block.span_iter() {
            self.size = self.size.saturating_add(1);
            match statement {
                Statement::Emit(_)
                | Statement::Break
                | Statement::Continue
                | Statement::Return { .. }
                | Statement::Store { .. } => {}
                Statement::Block(inner) => self.block(inner, own)?,
                Statement::If { accept, reject, .. } => {
                    self.block(accept, own)?;
                    self.block(reject, own)?;
                }
                Statement::Switch { cases, .. } => cases.iter().try_for_each(|case| self.block(&case.body, own))?,
                Statement::Loop { body, continuing, .. } => {
                    if own && !self.is_guarded(body) {
                        return Err((span, "every loop is counted, and this one cannot be"));
                    }
                    self.block(body, own)?;
                    self.block(continuing, own)?;
                }
                Statement::Call { function, .. } => {
                    self.size = self.size.saturating_add(self.sizes.get(function).copied().unwrap_or_default());
                }
                _ if !own => {}
                Statement::ControlBarrier(_) | Statement::MemoryBarrier(_) | Statement::WorkGroupUniformLoad { .. } => {
                    return Err((span, "worlds wait for nobody"));
                }
                Statement::Atomic { .. } => return Err((span, "worlds share nothing")),
                Statement::SubgroupBallot { .. }
                | Statement::SubgroupGather { .. }
                | Statement::SubgroupCollectiveOperation { .. } => {
                    return Err((span, "subgroups look at other worlds"));
                }
                Statement::Kill => return Err((span, "a world goes on until env_step ends it")),
                _ => return Err((span, "it has nothing of this kind")),
            }
        }
        Ok(())
    }

    /// Whether a loop's body begins with the guard, the condition of `for` and `while` aside.
    fn is_guarded(&self, body: &Block) -> bool {
        body.iter().any(|statement| match statement {
            Statement::Call { function, .. } => Some(*function) == self.guard,
            Statement::Block(inner) => self.is_guarded(inner),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::env::tests::{SMALL, refused};

    /// Nothing that another world could be seen through.
    #[test]
    fn worlds_see_no_other_worlds() {
        let put = |code: &str| SMALL.replace("(*s).x += 1.0;", code);
        let add = |more: &str| format!("{SMALL}\n{more}\n");
        for (case, text, words) in [
            (
                "shuffle",
                put("(*s).x = subgroupShuffleXor((*s).x, 1u);"),
                "'subgroupShuffleXor' is not for environments",
            ),
            ("sum", put("(*s).x = subgroupAdd((*s).x);"), "'subgroupAdd'"),
            ("ballot", put("let b = subgroupBallot(true);"), "'subgroupBallot'"),
            ("quad", put("(*s).x = quadSwapX((*s).x);"), "'quadSwapX'"),
            ("an index", add("fn f(subgroup_invocation_id: u32) {}"), "'subgroup_invocation_id'"),
            ("slope", put("(*s).x = dpdxFine((*s).x);"), "'dpdxFine'"),
            ("its size", put("(*s).x = fwidth((*s).x);"), "'fwidth'"),
            ("a barrier", put("workgroupBarrier();"), "no barriers"),
            ("a subgroup's barrier", put("subgroupBarrier();"), "'subgroupBarrier'"),
            (
                "a uniform load",
                add("fn f(p: ptr<workgroup, f32>) -> f32 { return workgroupUniformLoad(p); }"),
                "no barriers",
            ),
            ("an atomic", add("fn f(p: ptr<function, atomic<u32>>) {}"), "no atomics"),
            ("shared memory", add("var<workgroup> w: f32;"), "keeps nothing but its State"),
            ("memory of its own", add("var<private> w: f32;"), "keeps nothing but its State"),
            ("a variable behind a bracket", add("fn f() {} ) var<private> w: f32;"), "small.wgsl"),
            (
                "a pointer to shared memory",
                add("fn f(p: ptr<workgroup, f32>) -> f32 { return *p; }"),
                "its pointers are ptr<function",
            ),
            (
                "a pointer to a buffer",
                add("fn f(p: ptr<storage, f32>) -> f32 { return *p; }"),
                "its pointers are ptr<function",
            ),
            (
                "a pointer to memory of its own",
                add("fn f(p: ptr<private, f32>) -> f32 { return *p; }"),
                "its pointers are ptr<function",
            ),
            ("a texture", add("fn f(t: texture_2d<f32>) {}"), "it has no such types"),
            ("a sampler", add("fn f(t: sampler) {}"), "it has no such types"),
            ("a buffer of any length", add("alias A = array<f32>; fn f(p: ptr<function, A>) {}"), "small.wgsl"),
            ("an extension", format!("enable subgroups;\n{SMALL}"), "asks for no extensions"),
            (
                "a feature",
                format!("requires readonly_and_readwrite_storage_textures;\n{SMALL}"),
                "asks for no extensions",
            ),
            ("a diagnostic", format!("diagnostic(off, derivative_uniformity);\n{SMALL}"), "asks for no extensions"),
            ("an input", add("fn f(@builtin(global_invocation_id) i: vec3<u32>) {}"), "no attributes"),
            ("an end", put("discard;"), "a world goes on until env_step ends it"),
            ("doubles", add("fn f(x: f64) {}"), "small.wgsl"),
            ("halves", add("fn f(x: f16) {}"), "small.wgsl"),
            ("an override without a value", add("override a: f32; fn f() -> f32 { return a; }"), "give it a value"),
        ] {
            refused(case, &text, words);
        }
    }

    #[test]
    fn calls_that_double_are_refused() {
        let double = |i: u32| format!("fn f_{i}(x: f32) -> f32 {{ return f_{0}(x) + f_{0}(x + 1.0); }}\n", i - 1);
        let calls = (1..40).fold("fn f_0(x: f32) -> f32 { return x * 2.0; }\n".to_owned(), |text, i| text + &double(i));
        refused("doubling", &format!("{SMALL}\n{calls}"), "comes to more than 262144 operations");
    }
}
