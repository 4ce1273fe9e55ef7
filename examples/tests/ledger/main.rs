//! Small controllers against an API server whose events come late and whose replies get lost: they must
//! never create too many.

mod counts;
mod versions;
