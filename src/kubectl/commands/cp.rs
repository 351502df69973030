//! `kubectl cp`: files into containers and out of them.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/cp/cp.go and filespec.go.

use super::exec::refused;
use super::logs::container_of;
use crate::api::error::go_quote;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::container::archive::{Holds, Member};
use crate::container::normal;
use crate::container::tree::{Entry, File};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::session::Session;
use crate::store::ObjectKey;
use std::sync::Arc;

/// `[[NAMESPACE/]POD:]FILE`: namespace and pod, empty for the person's own machine, and the file.
#[derive(Debug, PartialEq, Eq)]
struct Spec {
    namespace: String,
    pod: String,
    file: String,
}

impl Spec {
    /// Models extractFileSpec.
    fn read(text: &str) -> Option<Self> {
        let (pod, file) = match text.split_once(':') {
            Some(("", _)) => return None,
            Some((pod, file)) => (pod, file),
            None => ("", text),
        };
        let (namespace, pod) = match pod.split('/').collect::<Vec<_>>().as_slice() {
            [pod] => (String::new(), (*pod).to_owned()),
            [namespace, pod] => ((*namespace).to_owned(), (*pod).to_owned()),
            _ => return None,
        };
        let file = match file.strip_suffix('/') {
            Some(rest) if !rest.is_empty() => rest,
            _ => file,
        };
        Some(Spec { namespace, pod, file: file.to_owned() })
    }
}

/// `kubectl cp`.
pub(crate) fn cp(call: &mut Call<'_>) -> Outcome {
    let [from, to] = call.args.as_slice() else {
        return plain("source and destination are required");
    };
    let (Some(from), Some(to)) = (Spec::read(from), Spec::read(to)) else {
        return plain("filespec must match the canonical format: [[namespace/]pod:]file/path");
    };
    match (from.pod.is_empty(), to.pod.is_empty()) {
        (false, false) => plain("one of src or dest must be a local file specification"),
        _ if from.file.is_empty() || to.file.is_empty() => plain("filepath can not be empty"),
        (false, true) => copy_out(call, &from, &to.file),
        (true, false) => copy_in(call, &from.file, &to),
        (true, true) => plain("one of src or dest must be a remote file specification"),
    }
}

/// The pod and the container that are meant.
fn container(call: &mut Call<'_>, spec: &Spec) -> Result<(Arc<Object>, String), Failure> {
    let own = call.namespace();
    let namespace = if spec.namespace.is_empty() { &own } else { &spec.namespace };
    let pod = call.object(Kind::Pod, namespace, &spec.pod)?;
    let value = shown(&pod);
    if let Some(phase @ ("Succeeded" | "Failed")) = value.str_at(&["status", "phase"]) {
        return plain(format!(
            "cannot exec into a container in a completed pod; current phase is {phase}"
        ));
    }
    let (container, _) = container_of(call, &value)?;
    Ok((pod, container.str_at(&["name"]).unwrap_or_default().to_owned()))
}

/// Models copyFromPod and untarAll.
fn copy_out(call: &mut Call<'_>, from: &Spec, to: &str) -> Outcome {
    let (pod, name) = container(call, from)?;
    // What the command in the container complains of goes to standard output.
    let complaints = core::mem::take(&mut call.err);
    call.out.push_str(&complaints);
    let packed = call.world.pack(&ObjectKey::of(&pod), &name, &from.file);
    let (members, (said, exit)) = match packed {
        Ok(packed) => packed,
        Err(why) => return refused(&pod, &name, why),
    };
    call.out.push_str(&said);
    if exit != 0 {
        return Err(Failure::Exited(exit));
    }
    let prefix = without_shortcuts(normal("/", &from.file).trim_start_matches('/')).to_owned();
    let mut has_warned = false;
    for member in members {
        let name = member.name.trim_start_matches("./");
        let Some(rest) =
            normal("/", name).trim_start_matches('/').strip_prefix(&prefix).map(str::to_owned)
        else {
            return plain("tar contents corrupted");
        };
        let path = match rest.trim_matches('/') {
            "" => to.to_owned(),
            rest => format!("{}/{rest}", to.trim_end_matches('/')),
        };
        let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
        if !call.session.is_folder(folder) {
            call.session.make_folder(folder);
        }
        match member.holds {
            Holds::Folder => call.session.make_folder(&path),
            Holds::Link(target) => {
                let (path, target) = (go_quote(&path), go_quote(&target));
                let hint = match has_warned {
                    true => String::new(),
                    false => format!(
                        " (consider using \"kubectl exec -n {} {} -- tar cf - {} | tar xf -\")",
                        go_quote(&from.namespace),
                        go_quote(&from.pod),
                        go_quote(&from.file)
                    ),
                };
                has_warned = true;
                call.warn(format!("warning: skipping symlink: {path} -> {target}{hint}"));
            }
            Holds::File { .. } if call.session.is_folder(&path) => {
                return plain(format!("open {path}: is a directory"));
            }
            Holds::File { text, .. } => call.session.write(&path, text.to_string()),
        }
    }
    Ok(())
}

/// Models filespec.go stripPathShortcuts.
fn without_shortcuts(path: &str) -> &str {
    match path.trim_start_matches("../") {
        "." | ".." => "",
        path => path.strip_prefix('/').unwrap_or(path),
    }
}

/// Models copyToPod and recursiveTar.
fn copy_in(call: &mut Call<'_>, from: &str, to: &Spec) -> Outcome {
    let whole = call.session.resolve(from);
    if call.session.read(&whole).is_none() && !call.session.is_folder(&whole) {
        return plain(format!("{from} doesn't exist in local filesystem"));
    }
    let (pod, name) = container(call, to)?;
    let session = &*call.session;
    let named = |is_folder: bool| {
        let own = whole.rsplit('/').next().unwrap_or_default();
        let target = match is_folder {
            true => format!("{}/{own}", to.file.trim_end_matches('/')),
            false => to.file.clone(),
        };
        let (folder, base) = target.rsplit_once('/').unwrap_or((".", &target));
        let folder = if folder.is_empty() { "/" } else { folder };
        let mut members = Vec::new();
        collect(session, &whole, base, &mut members);
        (folder.to_owned(), members)
    };
    let said = call.world.unpack(&ObjectKey::of(&pod), &name, &to.file, named);
    match said {
        Ok((said, exit)) => {
            call.err.push_str(&said);
            if exit == 0 { Ok(()) } else { Err(Failure::Exited(exit)) }
        }
        Err(why) => refused(&pod, &name, why),
    }
}

/// The files at a path of the person's machine; of folders only empty ones are carried themselves.
fn collect(session: &Session, path: &str, name: &str, members: &mut Vec<Member>) {
    let holds = match session.files.get(path.trim_start_matches('/')) {
        Some(Entry::File(File { text, executable, .. })) => {
            Holds::File { text: text.clone(), executable: *executable }
        }
        Some(Entry::Link(target)) => Holds::Link(target.clone()),
        _ => {
            let names = session.names(path);
            for own in &names {
                collect(session, &normal(path, own), &format!("{name}/{own}"), members);
            }
            if !names.is_empty() {
                return;
            }
            Holds::Folder
        }
    };
    members.push(Member { name: name.to_owned(), holds });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Models cp_test.go TestExtractFileSpec.
    #[test]
    fn a_file_is_here_or_in_a_pod() {
        let spec = |namespace: &str, pod: &str, file: &str| {
            Some(Spec { namespace: namespace.into(), pod: pod.into(), file: file.into() })
        };
        for (text, expected) in [
            ("namespace/pod:/some/file", spec("namespace", "pod", "/some/file")),
            ("pod:/some/file", spec("", "pod", "/some/file")),
            ("/some/file", spec("", "", "/some/file")),
            (":file:not:exist:in:local:filesystem", None),
            ("namespace/pod/invalid:/some/file", None),
            ("pod:/some/filenames:with:colons", spec("", "pod", "/some/filenames:with:colons")),
        ] {
            assert_eq!(Spec::read(text), expected, "{text}");
        }
    }
}
