//! The load and store of an environment's `State`, generated from its fields: one word of `mw_world` for each scalar, four
//! words in a vec4.

use naga::{Module, ScalarKind, Type, TypeInner};

/// A scalar of `State`, which is one word of a world.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its path from the struct, such as `x` or `velocity.y`.
    pub name: String,
    kind: ScalarKind,
}

impl Field {
    /// The number that a word stands for: 0 or 1 for `bool`.
    pub fn number(&self, word: u32) -> f64 {
        match self.kind {
            ScalarKind::Float => f64::from(f32::from_bits(word)),
            ScalarKind::Sint => f64::from(word.cast_signed()),
            _ => f64::from(word),
        }
    }

    /// Whether it is a `bool`.
    pub fn is_flag(&self) -> bool {
        self.kind == ScalarKind::Bool
    }

    /// The word for a number, rounded to what the field can hold.
    pub fn word(&self, number: f64) -> u32 {
        match self.kind {
            ScalarKind::Float => (number as f32).to_bits(),
            ScalarKind::Sint => (number as i32).cast_unsigned(),
            ScalarKind::Bool => u32::from(number != 0.0),
            _ => number as u32,
        }
    }
}

/// Most words of the state of a world.
const STATE_WORDS: usize = 4096;

/// The scalars of `State` in order.
#[derive(Clone, Debug)]
pub(super) struct StateLayout {
    fields: Vec<Field>,
}

impl StateLayout {
    /// Reads the fields of `State`; says what cannot be kept.
    pub fn of(module: &Module) -> Result<Self, String> {
        let found = module.types.iter().find(|(_, kind)| kind.name.as_deref() == Some("State"));
        let (_, state) = found.ok_or("there is no such struct")?;
        let mut fields = Vec::new();
        collect(module, state, "", &mut fields)?;
        if fields.len() > STATE_WORDS {
            return Err(format!("a world may have {STATE_WORDS} words, and it has {}", fields.len()));
        }
        Ok(Self { fields })
    }

    pub fn words(&self) -> u32 {
        self.fields.len() as u32
    }

    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Vec4s that hold these words.
    pub fn vectors(&self) -> u32 {
        self.words().div_ceil(4)
    }

    /// `mw_state_load` and `mw_state_store`; `at` is the world's place in the first vec4, `stride` the distance
    /// between vec4s.
    pub fn code(&self) -> String {
        let mut load = String::from("fn mw_state_load(at: u32, stride: u32) -> State {\n    var s: State;\n");
        let mut store = String::from("fn mw_state_store(at: u32, stride: u32, s: State) {\n");
        for (vector, fields) in self.fields.chunks(4).enumerate() {
            load += &format!("    let v{vector} = mw_world[at + {vector}u * stride];\n");
            let mut words = ["0u", "0u", "0u", "0u"].map(str::to_owned);
            for (n, Field { name, kind }) in fields.iter().enumerate() {
                let path = format!("s.{name}");
                let word = format!("v{vector}[{n}]");
                let (read, write) = match kind {
                    ScalarKind::Float => (format!("bitcast<f32>({word})"), format!("bitcast<u32>({path})")),
                    ScalarKind::Sint => (format!("bitcast<i32>({word})"), format!("bitcast<u32>({path})")),
                    ScalarKind::Bool => (format!("{word} != 0u"), format!("select(0u, 1u, {path})")),
                    _ => (word, path.clone()),
                };
                load += &format!("    {path} = {read};\n");
                words[n] = write;
            }
            store += &format!("    mw_world[at + {vector}u * stride] = vec4<u32>({});\n", words.join(", "));
        }
        load + "    return s;\n}\n" + &store + "}\n"
    }
}

fn collect(module: &Module, kind: &Type, path: &str, fields: &mut Vec<Field>) -> Result<(), String> {
    let field = |name: String, kind: ScalarKind| Field { name, kind };
    if fields.len() > STATE_WORDS {
        return Err(format!("a world may have {STATE_WORDS} words, and it has more"));
    }
    match &kind.inner {
        TypeInner::Scalar(scalar) if scalar.width <= 4 => {
            fields.push(field(path.to_owned(), scalar.kind));
            Ok(())
        }
        TypeInner::Vector { size, scalar } if scalar.width <= 4 => {
            fields.extend("xyzw".chars().take(*size as usize).map(|c| field(format!("{path}.{c}"), scalar.kind)));
            Ok(())
        }
        TypeInner::Matrix { columns, rows, scalar } if scalar.width == 4 => {
            for column in 0..*columns as usize {
                let rows = "xyzw".chars().take(*rows as usize);
                fields.extend(rows.map(|row| field(format!("{path}[{column}].{row}"), scalar.kind)));
            }
            Ok(())
        }
        TypeInner::Array { base, size: naga::ArraySize::Constant(count), .. } => {
            (0..count.get()).try_for_each(|i| collect(module, &module.types[*base], &format!("{path}[{i}]"), fields))
        }
        TypeInner::Struct { members, .. } => members.iter().try_for_each(|member| {
            let name = member.name.as_deref().unwrap_or_default();
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            collect(module, &module.types[member.ty], &path, fields)
        }),
        _ => Err(format!(
            "'{path}' cannot be kept; use f32, u32, i32, bool, and vectors, matrices, arrays and structs of these"
        )),
    }
}
