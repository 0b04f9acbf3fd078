//! naga's errors in an author's words: what is wrong, where, and what to write instead.
//!
//! naga is right about what it refuses, but speaks of its own expressions by number, and of many slips it knows the
//! function alone. What it knows is enough to point at the place and to say what helps.

mod locate;
mod parsed;
mod validated;

pub(super) use parsed::of_parsing;
pub(super) use validated::of_validation;

use naga::{Module, ScalarKind, Type, TypeInner};
use std::ops::Range;

/// An error as it is told.
pub(super) struct Told {
    /// Of the linked text, where there is a place.
    pub place: Option<Range<usize>>,
    pub message: String,
    /// What stands beside the caret.
    pub label: String,
}

/// A type as an author writes it.
fn type_name(module: &Module, inner: &TypeInner) -> String {
    let scalar = |scalar: naga::Scalar| match scalar.kind {
        ScalarKind::Float => "f32",
        ScalarKind::Sint => "i32",
        ScalarKind::Uint => "u32",
        ScalarKind::Bool => "bool",
        ScalarKind::AbstractInt => "a whole number",
        ScalarKind::AbstractFloat => "a number with a decimal point",
    };
    match inner {
        TypeInner::Scalar(of) => scalar(*of).to_owned(),
        TypeInner::Vector { size, scalar: of } => format!("vec{}<{}>", *size as u8, scalar(*of)),
        TypeInner::Matrix { columns, rows, scalar: of } => {
            format!("mat{}x{}<{}>", *columns as u8, *rows as u8, scalar(*of))
        }
        TypeInner::Array { base, size: naga::ArraySize::Constant(count), .. } => {
            format!("array<{}, {count}>", name_of(module, &module.types[*base]))
        }
        TypeInner::Pointer { base, .. } => format!("a pointer to {}", name_of(module, &module.types[*base])),
        TypeInner::ValuePointer { scalar: of, .. } => format!("a pointer to {}", scalar(*of)),
        other => module
            .types
            .iter()
            .find(|(_, kind)| kind.inner == *other)
            .and_then(|(_, kind)| kind.name.clone())
            .unwrap_or_else(|| "another type".to_owned()),
    }
}

/// The same with the name that it was given.
fn name_of(module: &Module, kind: &Type) -> String {
    match &kind.name {
        // an alias of a number says less than the number
        Some(name) if !matches!(kind.inner, TypeInner::Scalar(_)) => name.clone(),
        _ => type_name(module, &kind.inner),
    }
}

/// How to make one scalar of another: `; write f32(…)`.
fn conversion(found: &str, wanted: &str) -> String {
    match (found, wanted) {
        ("bool", "f32") => "; write select(0.0, 1.0, …)".to_owned(),
        ("bool", "i32") => "; write select(0, 1, …)".to_owned(),
        ("bool", "u32") => "; write select(0u, 1u, …)".to_owned(),
        ("f32" | "i32" | "u32", "bool") => "; compare it, as in `… > 0`".to_owned(),
        (_, "f32" | "i32" | "u32") if found.contains("number") || ["f32", "i32", "u32"].contains(&found) => {
            format!("; WGSL converts nothing by itself: write {wanted}(…)")
        }
        _ => String::new(),
    }
}
