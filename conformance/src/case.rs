//! [`Case`]: one rule of the API, its source, and the function that checks a server against it.

use crate::answer::Mismatch;
use crate::site::Site;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

/// The result of a check: the first mismatch, if there is one.
pub(crate) type Outcome = Result<(), Mismatch>;

/// The function of a case, whatever its future.
type Check = Box<dyn Fn(Site) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// One rule of the API and the function that checks it.
pub(crate) struct Case {
    /// The name of the function.
    pub(crate) name: &'static str,
    /// The rule in a sentence.
    pub(crate) rule: &'static str,
    /// The document, test or function upstream that has the rule.
    pub(crate) source: &'static str,
    check: Check,
}

/// Makes a case of a function, whose name it takes.
pub(crate) fn case<F, R>(check: F) -> Case
where
    F: Fn(Site) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    let path = std::any::type_name_of_val(&check);
    let name = path.rsplit("::").next().unwrap_or(path);
    Case { name, rule: "", source: "", check: Box::new(move |site| check(site).boxed()) }
}

impl Case {
    pub(crate) fn rule(self, rule: &'static str) -> Self {
        Self { rule, ..self }
    }

    pub(crate) fn source(self, source: &'static str) -> Self {
        Self { source, ..self }
    }

    /// Checks the server of `site`.
    pub(crate) async fn run(&self, site: Site) -> Outcome {
        (self.check)(site).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn objects_have_names(_: Site) -> Outcome {
        Ok(())
    }

    #[test]
    fn a_case_has_the_name_of_its_function() {
        assert_eq!(case(objects_have_names).name, "objects_have_names");
    }
}
