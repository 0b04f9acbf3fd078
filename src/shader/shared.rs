//! Structs that the host and the shaders share, each said once, in Rust, and printed into WGSL.

/// A struct that exists on both sides, as it lies in memory; [`shared_structs!`](crate::shared_structs) makes it.
#[derive(Clone, Copy, Debug)]
pub struct SharedStruct {
    /// Its name in WGSL.
    pub name: &'static str,
    /// Name, WGSL type and byte offset of each field, in order.
    pub fields: &'static [(&'static str, &'static str, usize)],
    /// Bytes of it.
    pub size: usize,
}

impl SharedStruct {
    /// The declaration in WGSL.
    pub fn declaration(&self) -> String {
        let fields: Vec<String> = self.fields.iter().map(|(name, kind, _)| format!("    {name}: {kind},\n")).collect();
        format!("struct {} {{\n{}}}\n", self.name, fields.concat())
    }
}

/// Declares structs of `u32` and `f32` fields for the host and for WGSL, where their names begin with `Mw`, and a list of
/// them. A test compares every offset of the list with naga's layout (`tests/structure/shaders.rs`).
#[macro_export]
macro_rules! shared_structs {
    ($(#[$list_meta:meta])* $list:ident; $(
        $(#[$meta:meta])* $visibility:vis struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ident,)* }
    )*) => {
        $(
            $(#[$meta])*
            #[repr(C)]
            #[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
            $visibility struct $name { $($(#[$field_meta])* pub $field: $kind,)* }
        )*

        $(#[$list_meta])*
        pub const $list: &[$crate::shader::SharedStruct] = &[$($crate::shader::SharedStruct {
            name: concat!("Mw", stringify!($name)),
            fields: &[$((stringify!($field), stringify!($kind), std::mem::offset_of!($name, $field)),)*],
            size: size_of::<$name>(),
        },)*];
    };
}
