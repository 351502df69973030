//! `-k` and `kubectl kustomize`: folders of manifests with a `kustomization.yaml`.
//!
//! Models sigs.k8s.io/kustomize/api v0.21 (internal/target/kusttarget.go, internal/builtins).
//!
//! Simplified: vars, generators and transformers of one's own, and charts
//! are refused; patches find their target by kind and name.
//!
//! Reading order: this file, `generate.rs`, `transform.rs`, `replace.rs`, `names.rs`.

mod generate;
mod names;
mod replace;
mod transform;

use super::call::Call;
use super::failure::{Failure, Outcome, plain};
use super::manifests;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Value};
use crate::base::order;

const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Deeper chains of folders are those of one that names itself.
const DEEPEST: usize = 16;

/// The fields of a kustomization that are carried out.
const KNOWN: [&str; 23] = [
    "apiVersion",
    "kind",
    "metadata",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "images",
    "replicas",
    "resources",
    "components",
    "replacements",
    "bases",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "sortOptions",
    "buildMetadata",
];
/// Those that are not.
const OTHERS: [&str; 9] = [
    "crds",
    "generators",
    "transformers",
    "validators",
    "configurations",
    "openapi",
    "vars",
    "helmCharts",
    "helmGlobals",
];
/// Those with a new name, which kustomize asks for.
const OLD: [(&str, &str); 4] = [
    ("bases", "resources"),
    ("commonLabels", "labels"),
    ("patchesJson6902", "patches"),
    ("patchesStrategicMerge", "patches"),
];

/// An object on its way through the layers.
#[derive(Clone, Debug)]
struct Resource {
    value: Value,
    /// The name that it was written with: patches may still use it.
    first_name: String,
    /// Whether a hash of what it holds is to end its name.
    hashed: bool,
}

impl Resource {
    fn new(value: Value) -> Self {
        let first_name = value.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
        Resource { value, first_name, hashed: false }
    }

    fn kind(&self) -> &str {
        self.value.str_at(&["kind"]).unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.value.str_at(&["metadata", "name"]).unwrap_or_default()
    }

    fn known_kind(&self) -> Option<Kind> {
        Kind::of_manifest(self.value.str_at(&["apiVersion"]).unwrap_or_default(), self.kind())
    }

    /// Whether a name means this one.
    fn is_called(&self, name: &str) -> bool {
        self.name() == name || self.first_name == name
    }
}

/// What is built, and what is said beside it.
pub(crate) struct Built {
    /// The objects, in the order in which they are created.
    pub(crate) objects: Vec<Value>,
    /// `# Warning: …`.
    pub(crate) warnings: Vec<String>,
}

/// `kubectl kustomize`.
pub(crate) fn kustomize(call: &mut Call<'_>) -> Outcome {
    let folder = match call.args.as_slice() {
        [] => ".".to_owned(),
        [folder] => folder.clone(),
        _ => return plain("specify one path to kustomization.yaml"),
    };
    let built = build(call, &folder)?;
    for warning in built.warnings {
        call.warn(warning);
    }
    let texts: Vec<String> = built.objects.iter().map(manifests::to_yaml).collect();
    call.out.push_str(&texts.join("---\n"));
    Ok(())
}

/// Builds a folder.
///
/// # Errors
/// What is wrong with it, in kustomize's words.
pub(crate) fn build(call: &Call<'_>, folder: &str) -> Result<Built, Failure> {
    let full = call.session.resolve(folder);
    if !call.session.is_folder(&full) {
        return plain(match call.session.read(&full) {
            Some(_) => format!("must build at directory: '{folder}': file is not directory"),
            None => format!(
                "must build at directory: not a valid directory: evalsymlink failure on '{folder}' : lstat {full}: no such file or directory"
            ),
        });
    }
    let mut layers = Layers { call, warnings: Vec::new() };
    let mut all = layers.build(&full, None, 0)?;
    names::add_hashes(&mut all);
    order::sort_by_key(&mut all, |one| {
        let value = &one.value;
        let text = |path: &[&str]| value.str_at(path).unwrap_or_default().to_owned();
        (
            place_of(one.kind()),
            text(&["apiVersion"]),
            text(&["kind"]),
            text(&["metadata", "namespace"]),
            text(&["metadata", "name"]),
        )
    });
    let objects = all.into_iter().map(|one| one.value).collect();
    Ok(Built { objects, warnings: layers.warnings })
}

/// Models kustomize api/internal/builtins/SortOrderTransformer.go defaultOrderFirst.
fn place_of(kind: &str) -> usize {
    const FIRST: [&str; 21] = [
        "Namespace",
        "ResourceQuota",
        "StorageClass",
        "CustomResourceDefinition",
        "ServiceAccount",
        "Role",
        "ClusterRole",
        "RoleBinding",
        "ClusterRoleBinding",
        "ConfigMap",
        "Secret",
        "Endpoints",
        "Service",
        "LimitRange",
        "PriorityClass",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Deployment",
        "StatefulSet",
        "CronJob",
        "PodDisruptionBudget",
    ];
    let last = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
    let place = FIRST.iter().position(|one| *one == kind);
    place.unwrap_or(FIRST.len() + usize::from(last.contains(&kind)))
}

struct Layers<'a, 'b> {
    call: &'a Call<'b>,
    warnings: Vec<String>,
}

impl Layers<'_, '_> {
    /// The objects of a folder, as its kustomization changes them; those of a component are put to
    /// those that are there `before`, and change them too.
    fn build(
        &mut self,
        folder: &str,
        before: Option<Vec<Resource>>,
        depth: usize,
    ) -> Result<Vec<Resource>, Failure> {
        let spec = self.read(folder)?;
        let is_component = spec.str_at(&["kind"]) == Some("Component");
        match (before.is_some(), is_component) {
            (true, false) => {
                let kind = spec.str_at(&["kind"]).unwrap_or("Kustomization");
                return plain(format!(
                    "accumulating components: accumulateDirectory: \"expected kind 'Component' for path '{folder}' but got '{kind}'\""
                ));
            }
            (false, true) if depth > 0 => {
                return plain(format!("expected kind != 'Component' for path '{folder}'"));
            }
            _ => {}
        }
        let mut all = before.unwrap_or_default();
        for key in ["resources", "bases"] {
            for path in spec.items_at(&[key]).iter().filter_map(Value::as_str) {
                for one in self.resource(folder, path, depth)? {
                    let same = |other: &Resource| {
                        let id = |it: &Resource| {
                            let at = |path: &[&str]| it.value.at(path).cloned();
                            (at(&["apiVersion"]), at(&["metadata", "namespace"]))
                        };
                        other.kind() == one.kind()
                            && other.name() == one.name()
                            && id(other) == id(&one)
                    };
                    if all.iter().any(same) {
                        let id = identity(&one);
                        return plain(format!(
                            "accumulating resources: accumulation err='merging resources from '{path}': may not add resource with an already registered id: {id}': must build at directory: '{folder}/{path}': file is not directory"
                        ));
                    }
                    all.push(one);
                }
            }
        }
        generate::run(self.call, folder, &spec, &mut all)?;
        for path in spec.items_at(&["components"]).iter().filter_map(Value::as_str) {
            let full = self.call.session.resolve(&format!("{folder}/{path}"));
            if depth >= DEEPEST {
                return plain(format!("cycle detected: candidate root '{full}'"));
            }
            all = self.build(&full, Some(all), depth + 1)?;
        }
        transform::run(self.call, folder, &spec, &mut all)?;
        Ok(all)
    }

    /// The kustomization of a folder.
    fn read(&mut self, folder: &str) -> Result<Value, Failure> {
        let file = FILES.iter().find_map(|name| {
            self.call.session.read(&format!("{folder}/{name}")).map(|text| (name, text))
        });
        let Some((name, text)) = file else {
            return plain(format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{folder}'"
            ));
        };
        let (documents, broken) = manifests::documents(text, name);
        broken.map_or(Ok(()), Err)?;
        let Some(spec) = documents.into_iter().find(|one| !one.is_null()) else {
            return plain(format!("{name} is empty"));
        };
        for key in spec.as_object().into_iter().flatten().map(|(key, _)| key.as_str()) {
            if OTHERS.contains(&key) {
                return plain(format!("this model does not know {key} of kustomizations"));
            }
            if !KNOWN.contains(&key) {
                return plain(format!("invalid Kustomization: json: unknown field \"{key}\""));
            }
            if let Some((old, new)) = OLD.iter().find(|(old, _)| *old == key) {
                self.warnings.push(format!(
                    "# Warning: '{old}' is deprecated. Please use '{new}' instead. Run 'kustomize edit fix' to update your Kustomization automatically."
                ));
            }
        }
        Ok(spec)
    }

    /// What stands under a path of `resources`.
    fn resource(
        &mut self,
        folder: &str,
        path: &str,
        depth: usize,
    ) -> Result<Vec<Resource>, Failure> {
        let is_far = path.contains("://");
        let full = match is_far || path.starts_with('/') {
            true => path.to_owned(),
            false => self.call.session.resolve(&format!("{folder}/{path}")),
        };
        if self.call.session.is_folder(&full) {
            if depth >= DEEPEST {
                return plain(format!("cycle detected: candidate root '{full}'"));
            }
            return self.build(&full, None, depth + 1);
        }
        let Ok(text) = self.call.read(&full) else {
            let lost = format!(
                "evalsymlink failure on '{full}' : lstat {full}: no such file or directory"
            );
            return plain(format!(
                "accumulating resources: accumulation err='accumulating resources from '{path}': {lost}': must build at directory: not a valid directory: {lost}"
            ));
        };
        let (documents, broken) = manifests::documents(&text, path);
        broken.map_or(Ok(()), Err)?;
        Ok(documents.into_iter().filter(|one| !one.is_null()).map(Resource::new).collect())
    }
}

/// `Deployment.v1.apps/web.[noNs]`.
fn identity(one: &Resource) -> String {
    let text = |path: &[&str]| one.value.str_at(path).unwrap_or_default();
    let (group, version) =
        text(&["apiVersion"]).split_once('/').unwrap_or(("", text(&["apiVersion"])));
    let group = if group.is_empty() { "[noGrp]" } else { group };
    let namespace = match text(&["metadata", "namespace"]) {
        "" => "[noNs]",
        namespace => namespace,
    };
    format!("{}.{version}.{group}/{}.{namespace}", one.kind(), one.name())
}
