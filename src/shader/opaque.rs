//! Conditions that no driver can know before a dispatch.
//!
//! Mesa's software driver looks into uniform buffers: where a condition (of a loop or a branch) is made of uniforms and
//! constants alone, it puts their values in, and compiles the kernel again for them. Where most of the kernel vanishes thus,
//! it does so at every dispatch, and keeps every copy for ever. So each such condition gets a term that is always false and
//! that only the dispatch knows: whether there are more workgroups than any dispatch may have.
//!
//! ```text
//!   if c { … }    becomes    if c || mw_opaque { … }      mw_opaque = (num_workgroups.z > 65,535), set first of all
//! ```
//!
//! Loops are branches that break, so this holds for their bounds. Weights may stay in uniforms: no condition is made of them.

use naga::{
    AddressSpace, Arena, BinaryOperator, Binding, Block, BuiltIn, Expression, Function, FunctionArgument,
    GlobalVariable, Handle, Literal, MemoryDecorations, Module, Range, Scalar, Span, Statement, Type, TypeInner,
    VectorSize,
};

/// Most workgroups in a dimension of a dispatch, in WebGPU and everywhere below it.
const MOST_WORKGROUPS: u32 = 65_535;

/// What the value of an expression is known from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    /// The text of the kernel.
    #[default]
    Constant,
    /// The buffers that are bound as uniforms.
    Uniform,
    /// The dispatch.
    Dispatch,
}

/// How many conditions of a module are made of uniforms and constants alone.
pub(super) fn count(module: &Module) -> usize {
    found(module).iter().map(Vec::len).sum()
}

/// Makes every such condition depend on the dispatch.
pub(super) fn hide(module: &mut Module) {
    let found = found(module);
    if found.iter().all(Vec::is_empty) {
        return;
    }
    let ty = |inner| Type { name: None, inner };
    let bool_type = module.types.insert(ty(TypeInner::Scalar(Scalar::BOOL)), Span::UNDEFINED);
    let vector = TypeInner::Vector { size: VectorSize::Tri, scalar: Scalar::U32 };
    let groups_type = module.types.insert(ty(vector), Span::UNDEFINED);
    let opaque = GlobalVariable {
        name: Some("mw_opaque".to_owned()),
        space: AddressSpace::Private,
        binding: None,
        ty: bool_type,
        init: None,
        memory_decorations: MemoryDecorations::empty(),
    };
    let opaque = module.global_variables.append(opaque, Span::UNDEFINED);
    let functions = module.functions.iter_mut().map(|(_, function)| function);
    let entries = module.entry_points.iter_mut().map(|entry| &mut entry.function);
    for (function, found) in functions.chain(entries).zip(&found) {
        let mut body = std::mem::take(&mut function.body);
        widen(&mut body, found, &mut function.expressions, opaque);
        function.body = body;
    }
    for entry in &mut module.entry_points {
        begin(&mut entry.function, opaque, groups_type);
    }
}

/// Such conditions of each function, the entry points last.
fn found(module: &Module) -> Vec<Vec<Handle<Expression>>> {
    let sources = Sources::of(module);
    let of_function = |(index, function): (usize, &Function)| {
        let known = sources.expressions(index, function);
        let mut found = Vec::new();
        walk(&function.body, &mut |statement| match *statement {
            Statement::If { condition: tested, .. }
            | Statement::Switch { selector: tested, .. }
            | Statement::Loop { break_if: Some(tested), .. }
                if known[tested.index()] == Known::Uniform =>
            {
                found.push(tested);
            }
            _ => {}
        });
        found
    };
    functions(module).enumerate().map(of_function).collect()
}

/// All functions, the entry points last.
fn functions(module: &Module) -> impl Iterator<Item = &Function> {
    let entries = module.entry_points.iter().map(|entry| &entry.function);
    module.functions.iter().map(|(_, function)| function).chain(entries)
}

/// Every statement of a block and of the blocks within it.
fn walk(block: &Block, see: &mut impl FnMut(&Statement)) {
    for statement in block {
        see(statement);
        let within: Vec<&Block> = match statement {
            Statement::Block(block) => vec![block],
            Statement::If { accept, reject, .. } => vec![accept, reject],
            Statement::Loop { body, continuing, .. } => vec![body, continuing],
            Statement::Switch { cases, .. } => cases.iter().map(|case| &case.body).collect(),
            _ => Vec::new(),
        };
        for block in within {
            walk(block, see);
        }
    }
}

/// Puts `|| mw_opaque` to the conditions that were found.
fn widen(
    block: &mut Block,
    found: &[Handle<Expression>],
    expressions: &mut Arena<Expression>,
    opaque: Handle<GlobalVariable>,
) {
    let mut new = Block::with_capacity(block.len());
    for (mut statement, span) in std::mem::take(block).span_into_iter() {
        match &mut statement {
            Statement::If { condition, .. } if found.contains(condition) => {
                new.push(widened(condition, expressions, opaque), span);
            }
            Statement::Loop { continuing, break_if: Some(condition), .. } if found.contains(condition) => {
                continuing.push(widened(condition, expressions, opaque), span);
            }
            _ => {}
        }
        let within: Vec<&mut Block> = match &mut statement {
            Statement::Block(block) => vec![block],
            Statement::If { accept, reject, .. } => vec![accept, reject],
            Statement::Loop { body, continuing, .. } => vec![body, continuing],
            Statement::Switch { cases, .. } => cases.iter_mut().map(|case| &mut case.body).collect(),
            _ => Vec::new(),
        };
        for block in within {
            widen(block, found, expressions, opaque);
        }
        new.push(statement, span);
    }
    *block = new;
}

/// Puts `|| mw_opaque` to one condition; returns what computes it.
fn widened(
    condition: &mut Handle<Expression>,
    expressions: &mut Arena<Expression>,
    opaque: Handle<GlobalVariable>,
) -> Statement {
    let mut add = |expression| expressions.append(expression, Span::UNDEFINED);
    let pointer = add(Expression::GlobalVariable(opaque));
    let flag = add(Expression::Load { pointer });
    *condition = add(Expression::Binary { op: BinaryOperator::LogicalOr, left: *condition, right: flag });
    Statement::Emit(Range::new_from_bounds(flag, *condition))
}

/// Sets the flag at the head of an entry point, from the number of its workgroups.
fn begin(function: &mut Function, opaque: Handle<GlobalVariable>, groups_type: Handle<Type>) {
    let groups = Some(Binding::BuiltIn(BuiltIn::NumWorkGroups));
    let place = function.arguments.iter().position(|argument| argument.binding == groups).unwrap_or_else(|| {
        let name = Some("mw_groups".to_owned());
        function.arguments.push(FunctionArgument { name, ty: groups_type, binding: groups });
        function.arguments.len() - 1
    });
    let mut add = |expression| function.expressions.append(expression, Span::UNDEFINED);
    let pointer = add(Expression::GlobalVariable(opaque));
    let base = add(Expression::FunctionArgument(place as u32));
    let most = add(Expression::Literal(Literal::U32(MOST_WORKGROUPS)));
    let last = add(Expression::AccessIndex { base, index: 2 });
    let value = add(Expression::Binary { op: BinaryOperator::Greater, left: last, right: most });
    let mut body = Block::new();
    body.push(Statement::Emit(Range::new_from_bounds(last, value)), Span::UNDEFINED);
    body.push(Statement::Store { pointer, value }, Span::UNDEFINED);
    body.extend_block(std::mem::take(&mut function.body));
    function.body = body;
}

/// Where the values of a module come from, whatever the order of its statements.
#[derive(Clone, Default, PartialEq)]
struct Sources {
    spaces: Vec<AddressSpace>,
    /// Arguments of each function, the entry points last; empty where nothing calls it.
    arguments: Vec<Vec<Known>>,
    /// Local variables of each function.
    locals: Vec<Vec<Known>>,
    /// What each function returns.
    results: Vec<Known>,
}

impl Sources {
    /// Follows values through variables and calls until nothing new comes up.
    fn of(module: &Module) -> Self {
        let entries = module.entry_points.len();
        let arguments = |(index, function): (usize, &Function)| {
            let known = if index < module.functions.len() { Known::Constant } else { Known::Dispatch };
            vec![known; function.arguments.len()]
        };
        let mut sources = Self {
            spaces: module.global_variables.iter().map(|(_, variable)| variable.space).collect(),
            arguments: functions(module).enumerate().map(arguments).collect(),
            locals: functions(module).map(|function| vec![Known::Constant; function.local_variables.len()]).collect(),
            results: vec![Known::Constant; module.functions.len() + entries],
        };
        loop {
            let before = sources.clone();
            for (index, function) in functions(module).enumerate() {
                sources.follow(index, function);
            }
            if sources == before {
                return sources;
            }
        }
    }

    fn follow(&mut self, index: usize, function: &Function) {
        let known = self.expressions(index, function);
        for (handle, variable) in function.local_variables.iter() {
            if let Some(value) = variable.init {
                let old = &mut self.locals[index][handle.index()];
                *old = known[value.index()].max(*old);
            }
        }
        walk(&function.body, &mut |statement| match *statement {
            Statement::Store { pointer, value } => self.stored(index, function, pointer, known[value.index()]),
            Statement::Return { value: Some(value) } => {
                self.results[index] = self.results[index].max(known[value.index()]);
            }
            Statement::Call { function: called, ref arguments, .. } => {
                for (n, &argument) in arguments.iter().enumerate() {
                    let old = &mut self.arguments[called.index()][n];
                    *old = known[argument.index()].max(*old);
                    // what is called may write anything through a pointer
                    self.stored(index, function, argument, Known::Dispatch);
                }
            }
            _ => {}
        });
    }

    /// Notes what is written through a pointer, where it is one to a local variable.
    fn stored(&mut self, index: usize, function: &Function, pointer: Handle<Expression>, known: Known) {
        match function.expressions[pointer] {
            Expression::LocalVariable(variable) => {
                let old = &mut self.locals[index][variable.index()];
                *old = known.max(*old);
            }
            Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => {
                self.stored(index, function, base, known);
            }
            _ => {}
        }
    }

    /// What each expression of a function, or what a pointer shows, is known from. Operands stand before what is made of them.
    fn expressions(&self, index: usize, function: &Function) -> Vec<Known> {
        let mut known = Vec::with_capacity(function.expressions.len());
        for (_, expression) in function.expressions.iter() {
            known.push(self.expression(index, expression, &known));
        }
        known
    }

    fn expression(&self, index: usize, expression: &Expression, known: &[Known]) -> Known {
        let of = |handle: Handle<Expression>| known[handle.index()];
        let all = |handles: &[Option<Handle<Expression>>]| {
            handles.iter().flatten().map(|&handle| of(handle)).max().unwrap_or_default()
        };
        match *expression {
            Expression::Literal(_) | Expression::Constant(_) | Expression::Override(_) | Expression::ZeroValue(_) => {
                Known::Constant
            }
            Expression::GlobalVariable(variable) => match self.spaces[variable.index()] {
                AddressSpace::Uniform | AddressSpace::Immediate => Known::Uniform,
                _ => Known::Dispatch,
            },
            Expression::LocalVariable(variable) => self.locals[index][variable.index()],
            Expression::FunctionArgument(place) => self.arguments[index][place as usize],
            Expression::CallResult(called) => self.results[called.index()],
            Expression::Compose { ref components, .. } => {
                components.iter().map(|&handle| of(handle)).max().unwrap_or_default()
            }
            Expression::AccessIndex { base: value, .. }
            | Expression::Splat { value, .. }
            | Expression::Swizzle { vector: value, .. }
            | Expression::Load { pointer: value }
            | Expression::Unary { expr: value, .. }
            | Expression::Relational { argument: value, .. }
            | Expression::As { expr: value, .. } => of(value),
            Expression::Access { base, index } => all(&[Some(base), Some(index)]),
            Expression::Binary { left, right, .. } => all(&[Some(left), Some(right)]),
            Expression::Select { condition, accept, reject } => all(&[Some(condition), Some(accept), Some(reject)]),
            Expression::Math { arg, arg1, arg2, arg3, .. } => all(&[Some(arg), arg1, arg2, arg3]),
            _ => Known::Dispatch,
        }
    }
}
