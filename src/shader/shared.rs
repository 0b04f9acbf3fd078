//! Structs that the host and the shaders share, each said once, in Rust, and printed into WGSL.

/// A struct that exists on both sides; made by [`shared_struct!`](crate::shared_struct).
pub trait SharedStruct: bytemuck::Pod {
    /// The struct's name in WGSL.
    const NAME: &'static str;
    /// Name, WGSL type and byte offset of each field, in order.
    const FIELDS: &'static [(&'static str, &'static str, usize)];

    /// The declaration in WGSL.
    fn declaration() -> String {
        let fields: Vec<String> = Self::FIELDS.iter().map(|(name, kind, _)| format!("    {name}: {kind},\n")).collect();
        format!("struct {} {{\n{}}}\n", Self::NAME, fields.concat())
    }
}

/// Declares structs of `u32` and `f32` fields for the host and for WGSL, where their names begin with `Mw`.
/// A test compares every offset with naga's layout (`tests/shaders.rs`).
#[macro_export]
macro_rules! shared_struct {
    ($($(#[$meta:meta])* $visibility:vis struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ident,)* })*) => {$(
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        $visibility struct $name { $($(#[$field_meta])* pub $field: $kind,)* }

        impl $crate::shader::SharedStruct for $name {
            const NAME: &'static str = concat!("Mw", stringify!($name));
            const FIELDS: &'static [(&'static str, &'static str, usize)] =
                &[$((stringify!($field), stringify!($kind), std::mem::offset_of!($name, $field)),)*];
        }
    )*};
}
