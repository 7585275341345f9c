//! Tools, as model providers take them.

use serde::Serialize;
use serde_json::Value;

use crate::registry::AnyTool;

/// A tool in the form that model providers take.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ToolDescription {
    /// Its name.
    pub name: String,
    /// What it does: the doc comment.
    pub description: String,
    /// The JSON Schema (draft 2020-12) of its arguments.
    pub input_schema: Value,
    /// The JSON Schema of its output.
    pub output_schema: Value,
}

impl ToolDescription {
    pub(super) fn of(tool: &dyn AnyTool) -> Self {
        let contract = tool.contract();
        Self {
            name: contract.name.clone().into_owned(),
            description: contract.description.clone().into_owned(),
            input_schema: tool.arguments_schema(),
            output_schema: tool.output_schema(),
        }
    }
}
