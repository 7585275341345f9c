//! The tools that a runtime knows, by name and by type.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde_json::Value;
use tool_contract_spec::ledger::Terms;
use tool_contract_spec::policy::{ArgumentRole, Contract, Text};
use tool_contract_spec::saga::unlike_saga;
use tool_contract_spec::template::Template;

use crate::dispatch::{DynamicCall, Response};
use crate::error::BuildError;
use crate::executor::Fuse;
use crate::hashed::BuildHashed;
use crate::job::schema;
use crate::runtime::Runtime;
use crate::saga::Kept;
use crate::tool::{BoxFuture, StateType, Tool};

/// A tool without its type.
pub trait AnyTool: Send + Sync {
    /// Its contract.
    fn contract(&self) -> &'static Contract;
    /// Its type.
    fn type_id(&self) -> TypeId;
    /// The state that its body takes.
    fn state(&self) -> &'static [StateType];
    /// Whether its body is not async, and so cannot be stopped.
    fn is_blocking(&self) -> bool;
    /// Whether it is a saga.
    fn is_saga(&self) -> bool;
    /// The package that it was compiled in.
    fn package(&self) -> &'static str;
    /// The JSON Schema of its arguments.
    fn arguments_schema(&self) -> Value;
    /// The JSON Schema of its output.
    fn output_schema(&self) -> Value;
    /// A call of it with the arguments that a record has.
    #[doc(hidden)]
    fn keep(&self, arguments: &str) -> Result<Arc<dyn Kept>, String>;
    /// Calls it with JSON.
    #[doc(hidden)]
    fn dispatch(&self, runtime: &Runtime, call: DynamicCall) -> BoxFuture<'static, Response>;
}

/// The tool `T` without its type.
struct Of<T>(PhantomData<fn() -> T>);

impl<T: Tool> AnyTool for Of<T> {
    fn contract(&self) -> &'static Contract {
        T::contract()
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<T>()
    }

    fn state(&self) -> &'static [StateType] {
        T::STATE
    }

    fn is_blocking(&self) -> bool {
        T::BLOCKING
    }

    fn is_saga(&self) -> bool {
        T::IS_SAGA
    }

    fn package(&self) -> &'static str {
        T::PACKAGE
    }

    fn arguments_schema(&self) -> Value {
        schema::arguments::<T>()
    }

    fn output_schema(&self) -> Value {
        schema::output::<T>()
    }

    fn keep(&self, arguments: &str) -> Result<Arc<dyn Kept>, String> {
        crate::saga::kept::<T>(arguments)
    }

    fn dispatch(&self, runtime: &Runtime, call: DynamicCall) -> BoxFuture<'static, Response> {
        crate::dispatch::typed::<T>(runtime, call)
    }
}

/// A tool that is linked into the program.
#[derive(Clone, Copy)]
pub struct Linked(fn() -> &'static dyn AnyTool);

impl Linked {
    /// The entry of `T`.
    #[must_use]
    pub const fn of<T: Tool>() -> Self {
        Self(erase::<T>)
    }
}

inventory::collect!(Linked);

/// `T` without its type.
pub(crate) fn erase<T: Tool>() -> &'static dyn AnyTool {
    const { &Of::<T>(PhantomData) }
}

/// Every tool that is linked into the program, by path.
///
/// A crate that the program never names is not linked, and its tools are
/// silently absent: `use that_crate as _;` cures it.
#[must_use]
pub fn linked() -> Vec<&'static dyn AnyTool> {
    let mut tools: Vec<_> = inventory::iter::<Linked>().map(|linked| (linked.0)()).collect();
    tools.sort_by_key(|tool| &tool.contract().path);
    tools
}

/// What a runtime worked out about a tool when it first met it.
pub(crate) struct Entry {
    pub(crate) tool: &'static dyn AnyTool,
    pub(crate) template: Option<Template>,
    /// What its calls tell the ledger of its contract.
    pub(crate) terms: Arc<Terms>,
    /// Its circuit breaker, where its contract has one.
    pub(crate) fuse: Option<Fuse>,
    /// What keeps it from being called on this runtime.
    pub(crate) obstacle: Option<BuildError>,
}

/// The tools that a runtime knows.
pub(crate) struct Registry {
    /// For how long claims hold.
    lease: Duration,
    tools: RwLock<Tools>,
    /// Those that were registered before the runtime was built: they are found
    /// without a lock.
    registered: HashMap<TypeId, Arc<Entry>, BuildHashed>,
}

/// An entry, borrowed where it can be.
pub(crate) enum Found<'a> {
    Registered(&'a Entry),
    Late(Arc<Entry>),
}

impl Deref for Found<'_> {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        match self {
            Self::Registered(entry) => entry,
            Self::Late(entry) => entry,
        }
    }
}

#[derive(Default)]
struct Tools {
    by_name: BTreeMap<Text, Arc<Entry>>,
    by_type: HashMap<TypeId, Arc<Entry>, BuildHashed>,
}

impl Registry {
    pub(crate) fn new(lease: Duration) -> Self {
        Self { lease, tools: RwLock::default(), registered: HashMap::default() }
    }

    /// The entry of `T`, made on first use.
    pub(crate) fn entry<T: Tool>(&self, runtime: &Runtime) -> Found<'_> {
        if let Some(entry) = self.registered.get(&TypeId::of::<T>()) {
            return Found::Registered(entry);
        }
        let known = self
            .tools
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_type
            .get(&TypeId::of::<T>())
            .cloned();
        Found::Late(known.unwrap_or_else(|| {
            let has_approvers = runtime.trust().is_somebody();
            let (missing, has_key) =
                (|types: &_| runtime.missing_state(types), runtime.has_secret_key());
            self.add(erase::<T>(), missing, has_key, has_approvers)
        }))
    }

    /// The registry of a runtime that is built: what comes from now on is late.
    pub(crate) fn built(mut self) -> Self {
        let tools = self.tools.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.registered.clone_from(&tools.by_type);
        self
    }

    /// The entry of the tool with this name.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<Entry>> {
        self.tools.read().unwrap_or_else(PoisonError::into_inner).by_name.get(name).cloned()
    }

    /// Every tool, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Entry>> {
        self.tools
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_name
            .values()
            .cloned()
            .collect()
    }

    /// Registers a tool, or remembers what keeps it from being called.
    pub(crate) fn add(
        &self,
        tool: &'static dyn AnyTool,
        missing_state: impl Fn(&[StateType]) -> Option<&'static str>,
        has_secret_key: bool,
        has_approvers: bool,
    ) -> Arc<Entry> {
        let contract = tool.contract();
        let mut tools = self.tools.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tools.by_type.get(&tool.type_id()) {
            return Arc::clone(known);
        }
        let name = contract.name.clone();
        let other = tools.by_name.get(&name).map(|entry| entry.tool.contract().path.clone());
        let taken = other.map(|first| BuildError::TwoOfOneName {
            tool: name.clone(),
            first,
            second: contract.path.clone(),
        });
        let state = missing_state(tool.state())
            .map(|state| BuildError::StateMissing { tool: name.clone(), state });
        let is_secret =
            contract.arguments.iter().any(|argument| argument.role == ArgumentRole::Secret);
        let secret = (is_secret && !has_secret_key)
            .then(|| BuildError::SecretKeyMissing { tool: name.clone() });
        let approvers = (contract.policy.confirm.is_some() && !has_approvers)
            .then(|| BuildError::ApproversMissing { tool: name.clone() });
        let is_taken = taken.is_some();
        let terms = Terms::of(contract, self.lease, !tool.is_blocking());
        let entry = Arc::new(Entry {
            tool,
            template: template(contract),
            terms: Arc::new(if tool.is_saga() { terms } else { unlike_saga(terms) }),
            fuse: Fuse::of(contract),
            obstacle: taken.or(state).or(secret).or(approvers),
        });
        tools.by_type.insert(tool.type_id(), Arc::clone(&entry));
        if !is_taken {
            tools.by_name.insert(name, Arc::clone(&entry));
        }
        entry
    }
}

/// The template of a derived key; the macro has read it before.
fn template(contract: &Contract) -> Option<Template> {
    use tool_contract_spec::policy::Idempotency;
    match &contract.policy.idempotency {
        Idempotency::Keyed { template: Some(text), .. } => Template::parse(text).ok(),
        _ => None,
    }
}
