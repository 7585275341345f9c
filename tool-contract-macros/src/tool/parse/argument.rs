//! The parameters of a tool's function.

use proc_macro2::Ident;
use syn::{Attribute, FnArg, Pat, PatType, Signature, Type, TypeReference};
use tool_contract_spec::policy::ArgumentRole;
use tool_contract_spec::rulebook::{Code, suggest};

use super::function::Argument;
use super::{borrowed, saga};
use crate::findings::Findings;
use crate::place::Place;
use crate::tool::Kind;

/// What the parameters are.
#[derive(Default)]
pub(super) struct Parameters {
    pub(super) takes_cx: bool,
    pub(super) arguments: Vec<Argument>,
}

/// Reads the parameters, and takes from the signature what the compiler would
/// not understand there.
pub(super) fn read(kind: Kind, signature: &mut Signature, findings: &mut Findings) -> Parameters {
    let mut parameters = Parameters::default();
    for (index, input) in signature.inputs.iter_mut().enumerate() {
        match input {
            FnArg::Receiver(receiver) => refuse_self(Place::of(&*receiver), findings),
            FnArg::Typed(typed) if kind == Kind::Saga && index == 0 && saga::is_saga(&typed.ty) => {
            }
            FnArg::Typed(typed) if is_cx(&typed.ty) => {
                judge_cx(typed, index, findings);
                parameters.takes_cx |= index == 0;
            }
            FnArg::Typed(typed) => parameters.arguments.extend(read_one(typed, findings)),
        }
    }
    parameters
}

fn read_one(typed: &mut PatType, findings: &mut Findings) -> Option<Argument> {
    let (docs, role) = take_attributes(&mut typed.attrs, findings);
    let name = name(&typed.pat, findings);
    if let Some((place, what)) = borrowed::find(&typed.ty) {
        let subject = &findings.subject;
        let message = format!(
            "an argument of `{subject}` has {what} in its type, but arguments are stored and compared"
        );
        findings.add(Code::UNFIT_SIGNATURE, place, message, owned(&typed.ty));
        return None;
    }
    Some(Argument { name: name?, ty: typed.ty.as_ref().clone(), role, docs })
}

/// The owned type to write instead.
fn owned(ty: &Type) -> String {
    let Type::Reference(TypeReference { elem, .. }) = ty else {
        return "write a type that owns its data".to_owned();
    };
    let owned = match elem.as_ref() {
        Type::Slice(slice) => format!("Vec<{}>", borrowed::text(&slice.elem)),
        elem => match borrowed::text(elem).as_str() {
            "str" => "String".to_owned(),
            "Path" => "PathBuf".to_owned(),
            elem => elem.to_owned(),
        },
    };
    format!("take it by value: write `{owned}`")
}

fn name(pattern: &Pat, findings: &mut Findings) -> Option<Ident> {
    if let Pat::Ident(pattern) = pattern
        && pattern.by_ref.is_none()
        && pattern.subpat.is_none()
    {
        return Some(pattern.ident.clone());
    }
    let message = format!(
        "an argument of `{}` is a pattern, but arguments are stored under their names",
        findings.subject
    );
    findings.add(
        Code::UNFIT_SIGNATURE,
        Place::of(pattern),
        message,
        "give it a name here, and take it apart in the body",
    );
    None
}

/// Takes the doc comment and `#[arg(..)]` from a parameter's attributes.
fn take_attributes(
    attributes: &mut Vec<Attribute>,
    findings: &mut Findings,
) -> (Vec<Attribute>, ArgumentRole) {
    let mut docs = Vec::new();
    let mut role = None;
    attributes.retain(|attribute| {
        let path = attribute.path();
        if path.is_ident("doc") {
            docs.push(attribute.clone());
        } else if path.is_ident("arg") {
            read_role(attribute, &mut role, findings);
        } else if path.is_ident("cfg") || path.is_ident("cfg_attr") {
            let message = format!(
                "an argument of `{}` is there only sometimes, but a contract has one list of them",
                findings.subject
            );
            let help = "write two functions, each under its own `#[cfg(..)]`";
            findings.add(Code::UNFIT_SIGNATURE, Place::of(attribute), message, help);
        } else {
            return true;
        }
        false
    });
    (docs, role.unwrap_or(ArgumentRole::Hashed))
}

fn read_role(attribute: &Attribute, role: &mut Option<ArgumentRole>, findings: &mut Findings) {
    let word = attribute.parse_args::<Ident>();
    let read = match &word {
        Ok(word) if word == "ignore" => ArgumentRole::Ignored,
        Ok(word) if word == "secret" => ArgumentRole::Secret,
        word => return refuse_role(attribute, word.as_ref().ok(), findings),
    };
    if role.replace(read).is_some() {
        let message = format!("an argument of `{}` has two `#[arg(..)]`", findings.subject);
        let help = "keep one of the two: what is ignored never reaches the hash, what is secret enters it as an HMAC";
        findings.add(Code::MALFORMED_FIELD, Place::of(attribute), message, help);
    }
}

fn refuse_role(attribute: &Attribute, word: Option<&Ident>, findings: &mut Findings) {
    let place = word.map_or_else(|| Place::of(attribute), |word| word.span().into());
    let message = format!(
        "an argument of `{}` has an `#[arg(..)]` that says neither `ignore` nor `secret`",
        findings.subject
    );
    let meant = word.and_then(|word| suggest::likely(&word.to_string(), ["ignore", "secret"]));
    let help = match meant {
        Some(meant) => format!("did you mean `#[arg({meant})]`?"),
        None => "write `#[arg(ignore)]` or `#[arg(secret)]`".to_owned(),
    };
    findings.add(Code::MALFORMED_FIELD, place, message, help);
}

/// Whether a type is `Cx`, by value or behind a reference.
pub(crate) fn is_cx(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Cx"),
        Type::Reference(reference) => is_cx(&reference.elem),
        Type::Group(group) => is_cx(&group.elem),
        _ => false,
    }
}

fn judge_cx(typed: &PatType, index: usize, findings: &mut Findings) {
    let shared =
        matches!(typed.ty.as_ref(), Type::Reference(reference) if reference.mutability.is_none());
    let subject = &findings.subject;
    let (message, help) = if !shared {
        (format!("`{subject}` takes its `Cx` other than by shared reference"), "write `cx: &Cx`")
    } else if index > 0 {
        (format!("`{subject}` takes its `&Cx` after an argument"), "make it the first parameter")
    } else {
        return;
    };
    findings.add(Code::UNFIT_SIGNATURE, Place::of(&typed.ty), message, help);
}

fn refuse_self(place: Place, findings: &mut Findings) {
    let message = format!(
        "`{}` takes `self`, but a tool is called by its name and its arguments alone",
        findings.subject
    );
    let help = "write a free function; what it needs of the program comes with `state(Type)` and `cx.state::<Type>()`";
    findings.add(Code::UNFIT_SIGNATURE, place, message, help);
}
