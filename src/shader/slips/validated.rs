//! What naga says of a module that is not valid.

use super::locate::tokens;
use super::{Told, conversion, name_of, type_name};
use naga::front::Typifier;
use naga::proc::ResolveContext;
use naga::valid::{CallError, ComposeError, ExpressionError, FunctionError, ValidationError};
use naga::{BinaryOperator, Expression, Function, Handle, Module, TypeInner, UnaryOperator, WithSpan};
use std::ops::Range;

/// An error of the validation of the module of a text.
pub(in crate::shader) fn of_validation(error: &WithSpan<ValidationError>, module: &Module, text: &str) -> Told {
    // the last is the innermost
    let last = error.spans().filter_map(|(span, label)| Some((span.to_range()?, label.clone()))).last();
    let (place, label) = last.map_or((None, String::new()), |(place, label)| (Some(place), label));
    if let ValidationError::Function { handle, name, source } = error.as_inner() {
        let look = Look::new(module, &module.functions[*handle], name, text, place);
        if let Some(told) = look.tell(source) {
            return told;
        }
        let place = look.fallback.clone();
        let mut message = format!("{name}: {source}");
        let mut cause = std::error::Error::source(source);
        while let Some(found) = cause {
            message += &format!(": {found}");
            cause = found.source();
        }
        return Told { place, message, label: String::new() };
    }
    let mut message = error.as_inner().to_string();
    let mut source = std::error::Error::source(error.as_inner());
    while let Some(cause) = source {
        message += &format!(": {cause}");
        source = cause.source();
    }
    Told { place, message, label }
}

/// A function with the types of its expressions.
struct Look<'a> {
    module: &'a Module,
    function: &'a Function,
    name: &'a str,
    text: &'a str,
    types: Typifier,
    /// Of how many expressions, the first.
    known: usize,
    /// Where naga says that it is.
    fallback: Option<Range<usize>>,
}

impl<'a> Look<'a> {
    fn new(
        module: &'a Module,
        function: &'a Function,
        name: &'a str,
        text: &'a str,
        fallback: Option<Range<usize>>,
    ) -> Self {
        let context = ResolveContext::with_locals(module, &function.local_variables, &function.arguments);
        let mut types = Typifier::new();
        let grown =
            |(handle, _): &(Handle<Expression>, _)| types.grow(*handle, &function.expressions, &context).is_ok();
        let known = function.expressions.iter().take_while(grown).count();
        Self { module, function, name, text, types, known, fallback }
    }

    /// Type of an expression.
    fn kind(&self, handle: Handle<Expression>) -> String {
        use naga::proc::TypeResolution;
        if handle.index() >= self.known {
            return "another type".to_owned();
        }
        match &self.types[handle] {
            TypeResolution::Handle(kind) => name_of(self.module, &self.module.types[*kind]),
            TypeResolution::Value(inner) => type_name(self.module, inner),
        }
    }

    /// Where an expression stands, without what naga takes to it.
    fn place(&self, handle: Handle<Expression>) -> Option<Range<usize>> {
        let span = self.function.expressions.get_span(handle).to_range();
        span.filter(|place| !place.is_empty()).or_else(|| self.fallback.clone())
    }

    /// Where an expression stands as a part of another one: there, and not where it was given a name.
    fn part(&self, part: Handle<Expression>, whole: Option<Range<usize>>) -> Option<Range<usize>> {
        let place = self.place(part);
        match (place, whole) {
            (Some(place), Some(whole)) if whole.start <= place.start && place.end <= whole.end => Some(place),
            (place, whole) => whole.or(place),
        }
    }

    /// Where a condition stands: behind its `if`, also where it is a name.
    fn condition(&self, condition: Handle<Expression>) -> Option<Range<usize>> {
        let place = self.place(condition)?;
        let first = self.fallback.as_ref().map_or(0, |function| function.start).min(place.start);
        let name = match &self.function.expressions[condition] {
            Expression::FunctionArgument(i) => self.function.arguments.get(*i as usize)?.name.as_deref(),
            _ => self.function.named_expressions.get(&condition).map(String::as_str),
        };
        let Some(name) = name else { return Some(place) };
        let words = tokens(&self.text[first..]);
        let at = words.windows(4).find_map(|four| match four.iter().map(|(_, word)| *word).collect::<Vec<_>>()[..] {
            ["if", word, "{", _] if word == name => Some(four[1].0),
            ["if", "(", word, ")"] if word == name => Some(four[2].0),
            _ => None,
        });
        Some(at.map_or(place, |at| first + at..first + at + name.len()))
    }

    /// What stands there, if it is short.
    fn words(&self, handle: Handle<Expression>) -> String {
        let words = self.place(handle).and_then(|place| self.text.get(place)).unwrap_or_default();
        if words.is_empty() || words.len() > 24 || words.contains('\n') { "…".to_owned() } else { words.to_owned() }
    }

    #[allow(clippy::unnecessary_wraps)] // what all arms of the callers give
    fn at(&self, handle: Handle<Expression>, message: String) -> Option<Told> {
        Some(Told { place: self.place(handle), message, label: String::new() })
    }

    fn tell(&self, error: &FunctionError) -> Option<Told> {
        let here = |message: String| Some(Told { place: self.fallback.clone(), message, label: String::new() });
        match error {
            FunctionError::Expression { handle, source } => self.expression(*handle, source),
            FunctionError::InvalidIfType(condition) => {
                let (kind, words) = (self.kind(*condition), self.words(*condition));
                let compared = match kind.as_str() {
                    "u32" => format!("{words} == 1u"),
                    "i32" => format!("{words} != 0"),
                    _ => format!("{words} > 0.0"),
                };
                let message = format!("`if` takes a bool, and this is {kind}; compare it, as in `if {compared}`");
                Some(Told { place: self.condition(*condition), message, label: String::new() })
            }
            FunctionError::InvalidSwitchType(value) => {
                self.at(*value, format!("`switch` takes an i32 or a u32, and this is {}", self.kind(*value)))
            }
            FunctionError::InvalidReturnType { expression, expected_ty } => {
                let wanted = expected_ty.map(|kind| name_of(self.module, &self.module.types[kind]));
                match (expression, wanted) {
                    (None, Some(wanted)) => {
                        let message =
                            format!("`{}` must return {} on every way to its end", self.name, example(&wanted));
                        here(message)
                    }
                    (Some(value), Some(wanted)) => {
                        let found = self.kind(*value);
                        let message = format!(
                            "`{}` returns {}, and this is {found}{}",
                            self.name,
                            example(&wanted),
                            conversion(&found, &wanted)
                        );
                        self.at(*value, message)
                    }
                    (Some(value), None) => {
                        let message = format!(
                            "`{}` declares no result; write `fn {}(…) -> {}`",
                            self.name,
                            self.name,
                            self.kind(*value)
                        );
                        self.at(*value, message)
                    }
                    _ => None,
                }
            }
            FunctionError::InvalidCall { function, error } => {
                let called = &self.module.functions[*function];
                let name = called.name.as_deref().unwrap_or("this function");
                match error {
                    CallError::ArgumentCount { required, seen } => {
                        let names: Vec<&str> = called.arguments.iter().filter_map(|one| one.name.as_deref()).collect();
                        here(format!(
                            "`{name}` takes {required} arguments ({}), and {seen} {} given",
                            names.join(", "),
                            if *seen == 1 { "is" } else { "are" }
                        ))
                    }
                    CallError::ArgumentType { index, required, seen_expression } => {
                        let wanted = name_of(self.module, &self.module.types[*required]);
                        let found = self.kind(*seen_expression);
                        let message = format!(
                            "argument {} of `{name}` is {wanted}, and this is {found}{}",
                            index + 1,
                            conversion(&found, &wanted)
                        );
                        let place = self.part(*seen_expression, self.fallback.clone());
                        Some(Told { place, message, label: String::new() })
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn expression(&self, handle: Handle<Expression>, error: &ExpressionError) -> Option<Told> {
        match error {
            ExpressionError::Compose(error) => self.compose(handle, error),
            ExpressionError::InvalidBinaryOperandTypes { op, lhs_type, rhs_type, .. } => {
                let [left, right] = [lhs_type, rhs_type].map(|kind| type_name(self.module, kind));
                self.at(handle, operands(*op, &left, &right))
            }
            ExpressionError::InvalidUnaryOperandType(op, operand) => {
                let (kind, words) = (self.kind(*operand), self.words(*operand));
                let message = match op {
                    UnaryOperator::LogicalNot => {
                        format!("`!` takes a bool, and this is {kind}; compare it, as in `{words} == 0`")
                    }
                    UnaryOperator::Negate => {
                        format!("`-` is for f32 and i32, and this is {kind}; write -f32({words}) or -i32({words})")
                    }
                    UnaryOperator::BitwiseNot => format!("`~` is for i32 and u32, and this is {kind}"),
                };
                self.at(handle, message)
            }
            ExpressionError::SelectConditionNotABool { actual } => {
                let message = format!(
                    "the condition of select(no, yes, condition) comes last and is a bool, and this is {}",
                    type_name(self.module, actual)
                );
                self.at(handle, message)
            }
            ExpressionError::SelectValuesTypeMismatch { accept, reject } => {
                let [yes, no] = [accept, reject].map(|kind| type_name(self.module, kind));
                self.at(
                    handle,
                    format!(
                        "select(no, yes, condition) takes two values of one type, and these are {no} and {yes}{}",
                        conversion(&no, &yes)
                    ),
                )
            }
            ExpressionError::InvalidIndexType(index) => {
                let kind = self.kind(*index);
                self.at(*index, format!("an index is an i32 or a u32, and this is {kind}; write u32(…)"))
            }
            ExpressionError::IndexOutOfBounds(base, index) => {
                let kind = self.kind(*base).trim_start_matches("a pointer to ").to_owned();
                self.at(handle, format!("there is no [{index}] in {kind}; it counts from 0"))
            }
            ExpressionError::DivideByZero => self.at(handle, "this divides by 0".to_owned()),
            // a literal that stayed without a type, since what it meets has another kind
            ExpressionError::Type(_) | ExpressionError::Literal(_) => self.literal(handle),
            _ => match self.literal(handle) {
                Some(told) if error.to_string().contains("Abstract types") => Some(told),
                _ => None,
            },
        }
    }

    /// A literal that found no type: the operation that it is of.
    fn literal(&self, literal: Handle<Expression>) -> Option<Told> {
        self.function.expressions.iter().find_map(|(handle, expression)| match expression {
            Expression::Binary { op, left, right } if *left == literal || *right == literal => {
                self.at(handle, operands(*op, &self.kind(*left), &self.kind(*right)))
            }
            _ => None,
        })
    }

    fn compose(&self, handle: Handle<Expression>, error: &ComposeError) -> Option<Told> {
        let Expression::Compose { ty, components } = &self.function.expressions[handle] else { return None };
        let kind = &self.module.types[*ty];
        let name = name_of(self.module, kind);
        match error {
            ComposeError::ComponentCount { given, expected } => {
                let members = match &kind.inner {
                    TypeInner::Struct { members, .. } => {
                        members.iter().filter_map(|member| member.name.as_deref()).collect::<Vec<_>>().join(", ")
                    }
                    _ => String::new(),
                };
                let are = if *given == 1 { "is" } else { "are" };
                let message = match name.as_str() {
                    "Observation" => format!(
                        "OBSERVATION_DIM is {expected}, and {given} {} {are} observed here; write `const OBSERVATION_DIM: u32 = {given}u;`, or observe {expected}",
                        if *given == 1 { "number" } else { "numbers" }
                    ),
                    "ActionMask" => {
                        format!("an ActionMask has a bool for each of the {expected} actions, and {given} {are} given")
                    }
                    "Outcome" => {
                        format!("an Outcome has two parts, Outcome(reward, terminated), and {given} {are} given")
                    }
                    _ if members.is_empty() => format!("{name} has {expected} parts, and {given} {are} given"),
                    _ => format!("{name} has {expected} fields ({members}), and {given} {are} given"),
                };
                self.at(handle, message)
            }
            ComposeError::ComponentType { index } => {
                let component = *components.get(*index as usize)?;
                let place = self.part(component, self.place(handle));
                let told = |message: String| Some(Told { place: place.clone(), message, label: String::new() });
                let found = self.kind(component);
                let wanted = match &kind.inner {
                    TypeInner::Struct { members, .. } => {
                        let member = members.get(*index as usize)?;
                        let wanted = name_of(self.module, &self.module.types[member.ty]);
                        let field = member.name.as_deref().unwrap_or_default();
                        let remedy = match name.as_str() {
                            "Outcome" => "; write Outcome(reward, terminated)".to_owned(),
                            _ => conversion(&found, &wanted),
                        };
                        return told(format!("`{field}` of {name} is {wanted}, and this is {found}{remedy}"));
                    }
                    TypeInner::Array { base, .. } => name_of(self.module, &self.module.types[*base]),
                    TypeInner::Vector { scalar, .. } => type_name(self.module, &TypeInner::Scalar(*scalar)),
                    _ => return None,
                };
                told(format!(
                    "number {index} of {name} is {wanted}, and this is {found}{}",
                    conversion(&found, &wanted)
                ))
            }
            ComposeError::Type(_) => None,
        }
    }
}

/// What a function of the contract returns, as it is written.
fn example(kind: &str) -> String {
    match kind {
        "Outcome" => "an Outcome, Outcome(reward, terminated)".to_owned(),
        "Observation" => "an Observation, Observation(…) with OBSERVATION_DIM numbers".to_owned(),
        "ActionMask" => "an ActionMask, ActionMask(…) with a bool for each action".to_owned(),
        _ => kind.to_owned(),
    }
}

/// Two operands that do not fit an operation.
fn operands(op: BinaryOperator, left: &str, right: &str) -> String {
    use BinaryOperator as B;
    let sign = match op {
        B::Add => "+",
        B::Subtract => "-",
        B::Multiply => "*",
        B::Divide => "/",
        B::Modulo => "%",
        B::Equal => "==",
        B::NotEqual => "!=",
        B::Less => "<",
        B::LessEqual => "<=",
        B::Greater => ">",
        B::GreaterEqual => ">=",
        B::And => "&",
        B::ExclusiveOr => "^",
        B::InclusiveOr => "|",
        B::LogicalAnd => "&&",
        B::LogicalOr => "||",
        B::ShiftLeft => "<<",
        B::ShiftRight => ">>",
    };
    if matches!(op, B::LogicalAnd | B::LogicalOr) {
        return format!(
            "`{sign}` takes two bools, and these are {left} and {right}; compare first, as in `x > 0 {sign} …`"
        );
    }
    let array =
        [left, right].into_iter().find(|kind| kind.starts_with("array") || *kind == "Action" || *kind == "Observation");
    if let Some(array) = array {
        return format!(
            "`{sign}` is for numbers and vectors, and one of these is {array}; take one of its numbers, as in action[0]"
        );
    }
    if left == right {
        return format!("`{sign}` is not for {left}");
    }
    format!(
        "`{sign}` takes two values of one type, and these are {left} and {right}; WGSL converts nothing by itself: write {}",
        {
            let numbers = |kind: &str| kind == "u32" || kind == "i32";
            match (left, right) {
                ("bool", _) | (_, "bool") => "select(0, 1, …) to make a number of a bool".to_owned(),
                _ if numbers(left) && numbers(right) => "i32(…) or u32(…) around one of them".to_owned(),
                (other, _) | (_, other) if numbers(other) => format!("f32(…) around the {other}"),
                _ => "the type that you mean around one of them, as in f32(…)".to_owned(),
            }
        }
    )
}
