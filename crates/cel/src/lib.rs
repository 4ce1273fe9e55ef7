//! The Common Expression Language (CEL) of Kubernetes: validation rules compiled, costed and evaluated as kube-apiserver does.
//!
//! ```
//! use serde_json::json;
//! use trimtab_cel::{Activation, DeclType, Meter, Program, Variable};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // The schema of a custom resource, as `x-kubernetes-validations` sees it.
//!     let schema = json!({"type": "object", "properties": {
//!         "replicas": {"type": "integer"},
//!         "names": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 63}},
//!     }});
//!     let declared = DeclType::from_schema(&schema, false).ok_or("the schema has no type")?;
//!
//!     let rule = "self.names.all(n, n.startsWith('web-')) && self.replicas <= 5";
//!     let program = Program::compile(rule, &[Variable::new("self", &declared)])?;
//!     assert!(program.returns_bool());
//!     assert_eq!(program.max_cost(), 56); // in upstream's units; it refuses rules above 10,000,000
//!
//!     let object = json!({"replicas": 3, "names": ["web-1", "db-1"]});
//!     let activation = Activation::new().bind("self", &object, &declared);
//!     let mut meter = Meter::default(); // aborts an evaluation above 1,000,000
//!     assert_eq!(program.evaluate(activation, &mut meter)?.as_bool(), Some(false));
//!     assert!(meter.cost() < program.max_cost());
//!
//!     let error = Program::compile("self.replica == 3", &[Variable::new("self", &declared)]);
//!     assert!(error.is_err_and(|error| error.to_string().contains("undefined field 'replica'")));
//!     Ok(())
//! }
//! ```
//!
//! # Guarantees
//!
//! 1. No expression makes the compiler or an evaluation use more stack than the parser's depth limit of 64 allows.
//! 2. No evaluation takes longer than its [`Meter`] allows: every step of a loop is charged.
//! 3. An expression that compiles names only declared fields, and calls only functions that take the types of its arguments.
//!
//! # Functions
//!
//! All that kube-apiserver 1.36 declares for the rules of custom resources: CEL's own functions and macros, optional values,
//! the libraries for texts (version 2), sets, lists (version 3) and two-variable comprehensions, and Kubernetes' libraries:
//! lists, regular expressions, URLs, quantities, IP addresses and CIDR ranges, semantic versions, and named formats.
//!
//! # Not here
//!
//! The authorizer, `jsonpatch` and the variables of admission policies: kube-apiserver declares them for policies, not for
//! the rules of custom resources. The rules of a whole schema, with their messages and budgets, are in `trimtab-apiserver`.
//!
//! # Differences from upstream
//!
//! - Expressions are at most 64 levels deep; cel-go accepts 250.
//! - The parser reports its first error only, and its texts for unexpected tokens are shorter. Messages cannot be constructed
//!   (`Type{field: value}`): no type of a custom resource can be named.
//! - Time zones have to be offsets such as `-08:00`, or `UTC`, where no database of time zones is linked. Times end at
//!   9999-12-30T22:00:00Z.
//! - The texts of errors in regular expressions are those of the crate `regex`.
//! - A call whose argument is an error costs 1, also if it would depend on the size of the other argument.

mod activation;
mod ast;
mod check;
mod decl_type;
mod estimate;
mod evaluate;
pub mod formats;
mod function;
mod functions;
mod lexer;
mod libraries;
mod macros;
mod meter;
mod parser;
mod pattern;
mod plan;
mod program;
mod typed;
mod value;

pub use self::{
    activation::{Activation, Output},
    decl_type::DeclType,
    functions::times::duration as parse_duration,
    meter::{EvalError, Meter},
    pattern::{Pattern, PatternError},
    program::{CompileError, Program, Variable},
};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
