//! What goes wrong, in kubectl's words.

use crate::api::error::go_quote;
use crate::api::{ApiError, Reason};
use crate::store::admission;

/// Why a command ends with an exit code other than 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// `error: …`.
    Plain(String),
    /// The text as it stands.
    Verbatim(String),
    /// The API server said no.
    Api(ApiError),
    /// Several, one a line.
    Many(Vec<Failure>),
    /// A command inside a container ended with this code, which becomes kubectl's own.
    Exited(i32),
    /// The text as it stands, and the exit code.
    Coded(String, i32),
    /// Nothing more to say; the exit code.
    Silent(i32),
}

/// What a verb returns.
pub(crate) type Outcome = Result<(), Failure>;

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Failure::Api(error)
    }
}

/// `Err(error: …)`.
pub(crate) fn plain<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Plain(message.into()))
}

impl Failure {
    /// What kubectl prints of it on standard error, with the line's end, and its exit code.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go checkErr.
    pub(crate) fn report(&self) -> (String, i32) {
        match self {
            Failure::Plain(message) if message.starts_with("error: ") => (ended(message), 1),
            Failure::Plain(message) => (ended(&format!("error: {message}")), 1),
            Failure::Verbatim(message) => (ended(message), 1),
            Failure::Api(error) => (ended(&api_text(error)), 1),
            Failure::Many(all) => {
                let code = all.iter().find_map(|one| match one {
                    Failure::Exited(code) => Some(*code),
                    _ => None,
                });
                (all.iter().map(Failure::in_a_list).collect(), code.unwrap_or(1))
            }
            Failure::Exited(code) => (format!("command terminated with exit code {code}\n"), *code),
            Failure::Coded(message, code) => (ended(message), *code),
            Failure::Silent(code) => (String::new(), *code),
        }
    }

    /// In a list, plain errors lose their `error: `, and what is invalid is told in one line.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go messageForError.
    fn in_a_list(&self) -> String {
        match self {
            Failure::Plain(message) => ended(message),
            Failure::Api(error) => ended(&from_server(error)),
            other => other.report().0,
        }
    }

    /// Names the manifest that was the reason: `error when creating "STDIN": …`.
    pub(crate) fn named_by_source(self, verb: &str, source: &str) -> Self {
        match self {
            Failure::Api(mut error) => {
                error.message =
                    format!("error when {verb} {}: {}", go_quote(source), error.message);
                Failure::Api(error)
            }
            Failure::Plain(message) => {
                Failure::Plain(format!("error when {verb} {}: {message}", go_quote(source)))
            }
            other => other,
        }
    }

    /// The sentence without `Error from server`.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Failure::Plain(message) | Failure::Verbatim(message) | Failure::Coded(message, _) => {
                message.clone()
            }
            Failure::Exited(code) => format!("command terminated with exit code {code}"),
            Failure::Api(error) => error.message.clone(),
            Failure::Many(all) => all.iter().map(Failure::sentence).collect::<Vec<_>>().join(", "),
            Failure::Silent(_) => String::new(),
        }
    }

    /// One failure of none, one or several.
    pub(crate) fn of(mut all: Vec<Failure>) -> Outcome {
        match all.len() {
            0 => Ok(()),
            1 => Err(all.remove(0)),
            _ => Err(Failure::Many(all)),
        }
    }

    /// Whether the server itself would have tried again before it said no.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Failure::Api(error) if admission::awaits_account(error))
    }

    /// Whether the API server knows no such object.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Failure::Api(error) if error.reason == Reason::NotFound)
    }
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go StandardErrorMessage.
fn from_server(error: &ApiError) -> String {
    match error.reason.name() {
        "" => format!("Error from server: {}", error.message),
        reason => format!("Error from server ({reason}): {}", error.message),
    }
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go checkErr and MultilineError.
fn api_text(error: &ApiError) -> String {
    if error.reason != Reason::Invalid {
        return from_server(error);
    }
    let kind = error.kind.split('.').next().unwrap_or_default();
    let what = match kind.is_empty() && error.name.is_empty() {
        true => "The request is invalid: ".to_owned(),
        false => format!("The {kind} {} is invalid: ", go_quote(&error.name)),
    };
    let mut causes: Vec<String> = Vec::new();
    for cause in &error.causes {
        let text = format!("{}: {}", cause.field, cause.body());
        if !causes.contains(&text) {
            causes.push(text);
        }
    }
    match causes.as_slice() {
        [] => what + &error.message,
        [one] => format!("{what}{one}"),
        many => many.iter().fold(what, |text, cause| format!("{text}\n* {cause}")),
    }
}

fn ended(text: &str) -> String {
    if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::FieldError;

    #[test]
    fn several_causes_stand_one_a_line_and_once() {
        let causes = ["a", "b", "a"].map(|field| FieldError::required(field, "")).to_vec();
        let failure = Failure::Api(ApiError::invalid("Deployment.apps", "web", causes));
        let text =
            "The Deployment \"web\" is invalid: \n* a: Required value\n* b: Required value\n";
        assert_eq!(failure.report(), (text.to_owned(), 1));
    }

    #[test]
    fn a_refusal_names_the_manifest_it_came_from() {
        let failure = Failure::Api(ApiError::forbidden("pods", "a", "no"))
            .named_by_source("creating", "STDIN");
        let text = "Error from server (Forbidden): error when creating \"STDIN\": pods \"a\" is forbidden: no\n";
        assert_eq!(failure.report().0, text);
    }
}
