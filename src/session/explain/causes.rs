//! Refusals of validation and admission: one fault a field.

use super::super::fault::{Fault, Fix};
use super::{Explanation, fault, near};
use crate::api::tree::Tree as _;
use crate::api::{ApiError, FieldError, FieldErrorType, Kind};
use crate::manifest::Document;
use crate::text::Text;

/// The faults of all fields that were refused.
pub(super) fn faults(source: &str, document: &Document, error: &ApiError) -> Vec<Fault> {
    let told = error.causes.iter().map(|cause| {
        let place = match cause.error_type {
            FieldErrorType::Required => document.key_place_of(&cause.field),
            _ => document.place_of(&cause.field),
        };
        let words = match cause.field.as_str() {
            "" => cause.body(),
            field => format!("{field}: {}", cause.body()),
        };
        let one =
            Fault { path: cause.field.clone(), ..fault(source, place, words, explanation(cause)) };
        mended(source, document, cause, one)
    });
    told.collect()
}

/// What is wrong with a field, by the kind of its error and the words that tell errors of one
/// kind apart.
fn explanation(cause: &FieldError) -> Explanation {
    let field = cause.field.rsplit('.').next().unwrap_or(&cause.field).to_owned();
    let says = |words: &str| cause.detail.contains(words);
    let text = match cause.error_type {
        FieldErrorType::Required => Text::FaultRequired,
        FieldErrorType::NotSupported => Text::FaultNotSupported,
        FieldErrorType::Duplicate => Text::FaultDuplicate,
        FieldErrorType::NotFound => Text::FaultNameless,
        FieldErrorType::Forbidden => Text::FaultForbidden,
        _ if says("does not match template") => Text::FaultSelector,
        _ if says("field is immutable") => Text::FaultImmutable,
        _ if says("RFC 1123") || says("DNS-10") || says("RFC 1035") => Text::FaultName,
        _ if says("between 1 and 65535") => Text::FaultPort,
        _ if says("range of valid ports") => Text::FaultNodePort,
        _ if says("already allocated") => Text::FaultNodePortTaken,
        _ if says("must be less than or equal to") => Text::FaultLimit,
        _ => Text::FaultInvalid,
    };
    let value = cause.bad_value.as_str().map_or(cause.bad_value.to_string(), str::to_owned);
    (text, vec![("field", field), ("value", value), ("detail", cause.detail.clone())])
}

/// The same fault with its fix, and at the place of the fix, where there is one.
fn mended(source: &str, document: &Document, cause: &FieldError, one: Fault) -> Fault {
    let at = |path: String, fix: String| {
        let place = document.place_of(&path);
        let (words, explanation) = (one.words.clone(), (one.explanation, one.values.clone()));
        Fault { path, fix: Some(Fix::Value(fix)), ..fault(source, place, words, explanation) }
    };
    match one.explanation {
        Text::FaultNotSupported => {
            let given = cause.bad_value.as_str().unwrap_or_default();
            let offered = cause.detail.split('"').skip(1).step_by(2);
            match near::nearest(given, offered) {
                Some(near) => at(cause.field.clone(), near.to_owned()),
                None => one,
            }
        }
        // The label that differs, not all of them.
        Text::FaultSelector => {
            let wanted = document.value.fields_at(&["spec", "selector", "matchLabels"]);
            let labels = document.value.at(&["spec", "template", "metadata", "labels"]);
            let differs = wanted.into_iter().flatten().find_map(|(key, want)| {
                let has = labels?.str_at(&[key])?;
                let want = want.as_str()?;
                (has != want).then(|| (key.to_string(), want.to_owned()))
            });
            match differs {
                Some((key, want)) => at(format!("spec.template.metadata.labels[{key}]"), want),
                None => one,
            }
        }
        Text::FaultName => match cause.bad_value.as_str().and_then(as_name) {
            Some(name) => at(cause.field.clone(), name),
            None => one,
        },
        Text::FaultLimit => match limit(cause) {
            Some((resource, limit)) => at(format!("{}[{resource}]", cause.field), limit),
            None => one,
        },
        Text::FaultNodePort | Text::FaultNodePortTaken => {
            let line = document.key_place_of(&cause.field).start.line;
            let own = source.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
            let is_alone = own.trim_start().starts_with("nodePort:");
            Fault { fix: is_alone.then_some(Fix::Remove { line }), ..one }
        }
        Text::FaultRequired => {
            let fix = insertion(source, document, &cause.field);
            Fault { fix, ..one }
        }
        Text::FaultImmutable => {
            let text = |path: &[&str]| document.value.str_at(path).map(str::to_owned);
            let kind = text(&["kind"]).and_then(|kind| Kind::of_word(&kind));
            let fix = kind.zip(text(&["metadata", "name"])).map(|(kind, name)| {
                let place = text(&["metadata", "namespace"]).unwrap_or_default();
                let place = if place.is_empty() { place } else { format!(" -n {place}") };
                Fix::Command(format!("kubectl delete {} {name}{place}", kind.resource().singular))
            });
            Fault { fix, ..one }
        }
        _ => one,
    }
}

/// A valid name that is like another text.
fn as_name(text: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    let lower: String =
        text.to_lowercase().chars().map(|c| if fits(c) { c } else { '-' }).collect();
    let name = lower.trim_matches(['-', '.']).to_owned();
    (!name.is_empty() && name != text).then_some(name)
}

/// `must be less than or equal to cpu limit of 500m`: the resource, and its limit.
fn limit(cause: &FieldError) -> Option<(String, String)> {
    let (_, rest) = cause.detail.split_once("less than or equal to ")?;
    let (resource, limit) = rest.split_once(" limit of ")?;
    Some((resource.to_owned(), limit.trim().to_owned()))
}

/// The line that a required field is missing as, below or beside its siblings.
fn insertion(source: &str, document: &Document, field: &str) -> Option<Fix> {
    let (parent, name) = field.rsplit_once('.').unwrap_or(("", field));
    let selector = || {
        let labels = document.value.fields_at(&["spec", "template", "metadata", "labels"])?;
        let pair = |(key, value): (&String, &crate::api::Value)| {
            Some(format!("{key}: {}", value.as_str()?))
        };
        let pairs = labels.iter().map(pair);
        let pairs: Vec<String> = pairs.collect::<Option<_>>()?;
        Some(format!("{{matchLabels: {{{}}}}}", pairs.join(", ")))
    };
    let value = match name {
        "image" => "nginx:1.27".to_owned(),
        "name" => "web".to_owned(),
        "containerPort" | "port" => "80".to_owned(),
        "selector" => selector()?,
        "restartPolicy" => "Never".to_owned(),
        "serviceName" => document.value.str_at(&["metadata", "name"])?.to_owned(),
        "schedule" => "\"*/5 * * * *\"".to_owned(),
        "mountPath" => "/data".to_owned(),
        "path" => "/".to_owned(),
        "pathType" => "Prefix".to_owned(),
        "key" => "key".to_owned(),
        _ => return None,
    };
    let siblings = document.fields_of(parent);
    // Behind a sibling that ends on its own line, at its column.
    let (key, _) = siblings.iter().find(|(key, value)| key.start.line == value.end.line)?;
    let line = key.start.line;
    let text = source.lines().nth(line.saturating_sub(1) as usize)?;
    let column = key.start.column.saturating_sub(1) as usize;
    let before: String = text.chars().take(column).collect();
    if before.contains('{') {
        return None;
    }
    let indent = " ".repeat(column);
    Some(Fix::Insert { line: line.saturating_add(1), text: format!("{indent}{name}: {value}\n") })
}

/// What admission refuses: which plugin, and at which place.
pub(super) fn forbidden(source: &str, document: &Document, error: &ApiError) -> Fault {
    let words = error.message.clone();
    let says = |part: &str| words.contains(part);
    let (text, path) = match () {
        () if says("exceeded quota") => (Text::FaultQuota, "kind"),
        () if says("failed quota") => (Text::FaultQuotaNeeds, "kind"),
        () if says("violates PodSecurity") => (Text::FaultPodSecurity, "spec"),
        () if says(" usage per ") || says("limit to request ratio") => {
            (Text::FaultLimitRange, "spec")
        }
        () if says("error looking up service account") => {
            (Text::FaultServiceAccount, "spec.serviceAccountName")
        }
        () if says("no PriorityClass with name") => {
            (Text::FaultPriorityClass, "spec.priorityClassName")
        }
        () if says("because it is being terminated") => {
            (Text::FaultNamespaceEnding, "metadata.namespace")
        }
        () => (Text::FaultForbidden, "metadata.name"),
    };
    let place = document.key_place_of(path);
    Fault { path: path.to_owned(), ..fault(source, place, words, (text, Vec::new())) }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Model, Msg, Opening, update};
    use super::*;

    /// The faults of a text that is applied, and the model.
    fn applied(text: &str) -> Model {
        let mut model = Model::new(Opening::default());
        update(&mut model, Msg::Edit(text.into()));
        update(&mut model, Msg::Apply);
        model
    }

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - name: a\n      image: nginx\n";

    #[test]
    fn each_refusal_that_has_an_obvious_mend_is_mended_by_a_press() {
        let cases = [
            (POD.replace("name: a\nspec", "name: My_Pod\nspec"), Text::FaultName),
            (POD.replace("      image: nginx\n", ""), Text::FaultRequired),
            (
                POD.replace(
                    "      image: nginx\n",
                    "      image: nginx\n      resources:\n        requests: {cpu: \"2\"}\n        limits: {cpu: \"1\"}\n",
                ),
                Text::FaultLimit,
            ),
            (
                "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  type: NodePort\n  ports:\n    - port: 80\n      nodePort: 80\n"
                    .to_owned(),
                Text::FaultNodePort,
            ),
            (
                "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  type: NodePorts\n  ports:\n    - port: 80\n"
                    .to_owned(),
                Text::FaultNotSupported,
            ),
            (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  replicas: 1\n  template:\n    metadata:\n      labels: {app: d}\n    spec:\n      containers: [{name: a, image: nginx}]\n"
                    .to_owned(),
                Text::FaultRequired,
            ),
        ];
        for (text, explanation) in cases {
            let mut model = applied(&text);
            let first = model.faults.first().map(|fault| fault.explanation);
            assert_eq!(first, Some(explanation), "{text}\n{:?}", model.faults);
            for _ in 0..3 {
                update(&mut model, Msg::Fix(0));
                update(&mut model, Msg::Apply);
            }
            assert!(model.faults.is_empty(), "{}\n{:?}", model.source, model.faults);
        }
    }

    #[test]
    fn a_namespace_that_is_missing_is_made_by_a_press() {
        let mut model = applied(&POD.replace("name: a\nspec", "name: a\n  namespace: shop\nspec"));
        let fault = model.faults.first().cloned().unwrap();
        assert_eq!(fault.fix, Some(Fix::Command("kubectl create namespace shop".into())));
        update(&mut model, Msg::Fix(0));
        assert!(model.faults.is_empty(), "{:?}", model.faults);
        let last = model.terminal.entries.last().unwrap();
        assert_eq!(last.line, "kubectl create namespace shop && kubectl apply -f web.yaml");
        for _ in 0..8 {
            update(&mut model, Msg::Tick(250_000));
        }
        let said = model.terminal.entries.last().unwrap().printed(crate::console::Stream::Out);
        assert_eq!(said, "namespace/shop created\npod/a created\n");
    }

    #[test]
    fn what_cannot_be_changed_is_deleted_and_applied_anew() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  selector:\n    matchLabels: {app: other}\n  template:\n    metadata:\n      labels: {app: other}\n    spec:\n      containers: [{name: a, image: nginx}]\n";
        let mut model = applied(text);
        let fault = model.faults.first().cloned().unwrap();
        assert_eq!(fault.explanation, Text::FaultImmutable, "{:?}", model.faults);
        assert_eq!(fault.fix, Some(Fix::Command("kubectl delete deployment web".into())));
        update(&mut model, Msg::Fix(0));
        assert!(model.faults.is_empty(), "{:?}", model.faults);
    }

    #[test]
    fn admission_says_who_refused() {
        let mut model = Model::new(Opening::default());
        for line in
            ["kubectl create namespace small", "kubectl create quota few --hard=pods=0 -n small"]
        {
            update(&mut model, Msg::Run(line.into()));
            update(&mut model, Msg::Tick(250_000));
        }
        update(
            &mut model,
            Msg::Edit(POD.replace("name: a\nspec", "name: a\n  namespace: small\nspec").into()),
        );
        update(&mut model, Msg::Apply);
        let told: Vec<Text> = model.faults.iter().map(|fault| fault.explanation).collect();
        assert_eq!(told, [Text::FaultQuota], "{:?}", model.faults);
    }
}
