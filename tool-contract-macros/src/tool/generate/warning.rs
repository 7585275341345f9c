//! Compiler warnings.
//!
//! A stable macro cannot warn, but using what is deprecated does, at any place
//! and under any `allow`.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use tool_contract_spec::rulebook::Level;

use super::Tool;
use super::attributes::Attributes;
use crate::findings::Findings;

impl Tool<'_> {
    /// A warning for each finding of that level; `#[allow(deprecated)]` on the
    /// function silences them.
    pub(super) fn warnings(&self, findings: &Findings) -> TokenStream {
        let Attributes { conditions, .. } = &self.attributes;
        let warnings = findings.at(Level::Warn).map(|finding| {
            let span = finding.at.start();
            let code = Ident::new(&finding.code.to_string(), span);
            let note = format!("{}\nhelp: {}", finding.message, finding.help);
            let lints = self.attributes.outer_lints();
            quote_spanned! { span=>
                #(#conditions)*
                #(#lints)*
                const _: () = {
                    #[deprecated(note = #note)]
                    const #code: () = ();
                    #code
                };
            }
        });
        quote! { #(#warnings)* }
    }
}
