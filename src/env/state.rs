//! The load and store of an environment's `State`, generated from its fields: one word of `mw_world` for each scalar.

use naga::{Module, ScalarKind, Type, TypeInner};

/// The scalars of `State` in order: path from the struct, and how a word becomes one.
#[derive(Clone, Debug)]
pub(super) struct StateLayout {
    scalars: Vec<(String, ScalarKind)>,
}

impl StateLayout {
    /// Reads the fields of `State`; says what cannot be kept.
    pub fn of(module: &Module) -> Result<Self, String> {
        let found = module.types.iter().find(|(_, kind)| kind.name.as_deref() == Some("State"));
        let (_, state) = found.ok_or("there is no such struct")?;
        let mut scalars = Vec::new();
        collect(module, state, "s", &mut scalars)?;
        Ok(Self { scalars })
    }

    pub fn words(&self) -> u32 {
        self.scalars.len() as u32
    }

    /// `mw_state_load` and `mw_state_store`; `at` is the world's place in the first word, `stride` the distance
    /// between words.
    pub fn code(&self) -> String {
        let mut load = String::from("fn mw_state_load(at: u32, stride: u32) -> State {\n    var s: State;\n");
        let mut store = String::from("fn mw_state_store(at: u32, stride: u32, s: State) {\n");
        for (word, (path, kind)) in self.scalars.iter().enumerate() {
            let place = format!("mw_world[at + {word}u * stride]");
            let (read, write) = match kind {
                ScalarKind::Float => (format!("bitcast<f32>({place})"), format!("bitcast<u32>({path})")),
                ScalarKind::Sint => (format!("bitcast<i32>({place})"), format!("bitcast<u32>({path})")),
                ScalarKind::Bool => (format!("{place} != 0u"), format!("select(0u, 1u, {path})")),
                _ => (place.clone(), path.clone()),
            };
            load += &format!("    {path} = {read};\n");
            store += &format!("    {place} = {write};\n");
        }
        load + "    return s;\n}\n" + &store + "}\n"
    }
}

fn collect(module: &Module, kind: &Type, path: &str, scalars: &mut Vec<(String, ScalarKind)>) -> Result<(), String> {
    match &kind.inner {
        TypeInner::Scalar(scalar) if scalar.width <= 4 => {
            scalars.push((path.to_owned(), scalar.kind));
            Ok(())
        }
        TypeInner::Vector { size, scalar } if scalar.width <= 4 => {
            scalars.extend("xyzw".chars().take(*size as usize).map(|c| (format!("{path}.{c}"), scalar.kind)));
            Ok(())
        }
        TypeInner::Matrix { columns, rows, scalar } if scalar.width == 4 => {
            for column in 0..*columns as usize {
                let rows = "xyzw".chars().take(*rows as usize);
                scalars.extend(rows.map(|row| (format!("{path}[{column}].{row}"), scalar.kind)));
            }
            Ok(())
        }
        TypeInner::Array { base, size: naga::ArraySize::Constant(count), .. } => {
            (0..count.get()).try_for_each(|i| collect(module, &module.types[*base], &format!("{path}[{i}]"), scalars))
        }
        TypeInner::Struct { members, .. } => members.iter().try_for_each(|member| {
            let name = member.name.as_deref().unwrap_or_default();
            collect(module, &module.types[member.ty], &format!("{path}.{name}"), scalars)
        }),
        _ => Err(format!(
            "'{path}' cannot be kept; use f32, u32, i32, bool, and vectors, matrices, arrays and structs of these"
        )),
    }
}
