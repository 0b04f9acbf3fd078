//! Types under one name each.
//!
//! naga takes `alias Lane = f32;` for a type of its own, so that `array<Lane, 4>` and `array<f32, 4>` are two; what it writes
//! for DX12 then defines the functions that go with such an array twice, and DXC refuses it. Nothing but the names differs.

use naga::{Expression, Function, Handle, Module, Type, TypeInner, UniqueArena};

/// The same module, with every type but structs known by what it is, not by what it is called.
pub(super) fn without_aliases(module: &Module) -> Module {
    let mut module = module.clone();
    let mut types = UniqueArena::new();
    let mut new: Vec<Handle<Type>> = Vec::new();
    // a type is made of those before it
    for (old, kind) in module.types.iter() {
        let mut kind = kind.clone();
        match &mut kind.inner {
            TypeInner::Pointer { base, .. } | TypeInner::Array { base, .. } | TypeInner::BindingArray { base, .. } => {
                *base = new[base.index()];
            }
            TypeInner::Struct { members, .. } => {
                for member in members {
                    member.ty = new[member.ty.index()];
                }
            }
            _ => {}
        }
        if !matches!(kind.inner, TypeInner::Struct { .. }) {
            kind.name = None;
        }
        new.push(types.insert(kind, module.types.get_span(old)));
    }
    module.types = types;

    let rename = |kind: &mut Handle<Type>| *kind = new[kind.index()];
    let special = &mut module.special_types;
    let others = [
        &mut special.ray_desc,
        &mut special.ray_intersection,
        &mut special.ray_vertex_return,
        &mut special.external_texture_params,
        &mut special.external_texture_transfer_function,
    ];
    others.into_iter().flatten().for_each(rename);
    special.predeclared_types.values_mut().for_each(rename);
    module.constants.iter_mut().for_each(|(_, constant)| rename(&mut constant.ty));
    module.overrides.iter_mut().for_each(|(_, value)| rename(&mut value.ty));
    module.global_variables.iter_mut().for_each(|(_, variable)| rename(&mut variable.ty));
    module.global_expressions.iter_mut().for_each(|(_, expression)| in_expression(expression, rename));
    module.functions.iter_mut().for_each(|(_, function)| in_function(function, rename));
    module.entry_points.iter_mut().for_each(|entry| in_function(&mut entry.function, rename));
    module
}

fn in_function(function: &mut Function, rename: impl Fn(&mut Handle<Type>)) {
    function.arguments.iter_mut().for_each(|argument| rename(&mut argument.ty));
    function.result.iter_mut().for_each(|result| rename(&mut result.ty));
    function.local_variables.iter_mut().for_each(|(_, variable)| rename(&mut variable.ty));
    function.expressions.iter_mut().for_each(|(_, expression)| in_expression(expression, &rename));
}

fn in_expression(expression: &mut Expression, rename: impl Fn(&mut Handle<Type>)) {
    match expression {
        Expression::ZeroValue(ty)
        | Expression::Compose { ty, .. }
        | Expression::AtomicResult { ty, .. }
        | Expression::WorkGroupUniformLoadResult { ty }
        | Expression::SubgroupOperationResult { ty } => rename(ty),
        // the others have no types of their own
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::without_aliases;
    use crate::shader::Program;

    #[test]
    fn aliases_of_a_type_are_that_type() {
        let source = "
            alias Lane = f32;
            alias Many = array<Lane, 3>;
            struct Pair { lanes: Many, numbers: array<f32, 3> }
            const TABLE = array<Lane, 2>(1.0, 2.0);
            var<workgroup> shared_: array<array<Lane, 3>, 4>;
            fn sum(pair: Pair) -> Lane { return pair.lanes[0] + pair.numbers[1] + TABLE[1] + shared_[0][1]; }
            @compute @workgroup_size(1)
            fn mw_main() { var pair: Pair; var other = array<Lane, 3>(); pair.lanes = other; _ = sum(pair); }";
        let linked = Program::new("alias").source("alias.wgsl", source).link().expect("it links");
        let plain = without_aliases(linked.module());
        let count = |module: &naga::Module| {
            let arrays = module.types.iter().filter(|(_, kind)| matches!(kind.inner, naga::TypeInner::Array { .. }));
            arrays.count()
        };
        // three, two and four of three
        assert_eq!((count(linked.module()), count(&plain)), (5, 3), "{:?}", plain.types);
        let flags = naga::valid::ValidationFlags::all();
        naga::valid::Validator::new(flags, naga::valid::Capabilities::empty()).validate(&plain).expect("it is valid");
    }
}
