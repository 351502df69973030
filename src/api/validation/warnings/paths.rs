//! Files of volumes that get into each other's way.
//!
//! Models pkg/api/pod/warnings.go warningsForOverlappingVirtualPaths.

use super::super::path::Fields as _;
use crate::api::Value;
use crate::api::error::go_quote;

/// A file's path and, in a volume of several sources, where it comes from.
#[derive(Clone, PartialEq, Eq)]
struct File {
    path: String,
    source: String,
}

impl File {
    fn shown(&self) -> String {
        match self.source.as_str() {
            "" => go_quote(&self.path),
            source => format!("{} ({source})", go_quote(&self.path)),
        }
    }

    /// Whether one of two paths is a part of the other, or both are the same.
    fn collides(&self, other: &File) -> bool {
        let inside =
            |outer: &str, inner: &str| format!("{inner}/").starts_with(&format!("{outer}/"));
        !self.path.is_empty()
            && !other.path.is_empty()
            && (inside(&self.path, &other.path) || inside(&other.path, &self.path))
    }
}

fn files(source: &Value, described: &str) -> Vec<File> {
    let file = |item: &Value| File {
        path: item.text("path").trim_end_matches('/').to_owned(),
        source: described.to_owned(),
    };
    source.list("items").iter().map(file).collect()
}

/// Adds a warning for each pair that collides, in the order of the later of the two.
fn collisions(files: &[File], volume: &str, kind: &str, found: &mut Vec<String>) {
    for (index, file) in files.iter().enumerate() {
        for other in files.iter().take(index).filter(|other| file.collides(other)) {
            found.push(format!(
                "volume {} ({kind}): overlapping paths: {} with {}",
                go_quote(volume),
                file.shown(),
                other.shown()
            ));
        }
    }
}

/// The warnings of all volumes of a pod.
pub(super) fn overlaps(spec: &Value, found: &mut Vec<String>) {
    for volume in spec.list("volumes") {
        let name = volume.text("name");
        if let Some(source) = volume.sub("configMap") {
            let kind = format!("ConfigMap {}", go_quote(source.text("name")));
            collisions(&files(source, ""), name, &kind, found);
        }
        if let Some(source) = volume.sub("secret") {
            let kind = format!("Secret {}", go_quote(source.text("secretName")));
            collisions(&files(source, ""), name, &kind, found);
        }
        if let Some(source) = volume.sub("downwardAPI") {
            collisions(&files(source, ""), name, "DownwardAPI", found);
        }
        if let Some(source) = volume.sub("projected") {
            projected(source, name, found);
        }
    }
}

fn projected(volume: &Value, name: &str, found: &mut Vec<String>) {
    let mut all: Vec<File> = Vec::new();
    for source in volume.list("sources") {
        let named = |kind: &str, source: &Value| {
            files(source, &format!("{kind} {}", go_quote(source.text("name"))))
        };
        if let Some(source) = source.sub("configMap") {
            all.extend(named("ConfigMap", source));
        } else if let Some(source) = source.sub("secret") {
            all.extend(named("Secret", source));
        } else if let Some(source) = source.sub("downwardAPI") {
            all.extend(files(source, "DownwardAPI"));
        } else if let Some(token) = source.sub("serviceAccountToken") {
            let path = token.text("path").trim_end_matches('/').to_owned();
            all.push(File { path, source: "ServiceAccountToken".to_owned() });
        } else if source.as_object().is_none_or(serde_json::Map::is_empty) {
            let name = go_quote(name);
            found.push(format!("volume {name} (Projected) has no sources provided"));
        }
    }
    collisions(&all, name, "Projected", found);
}
