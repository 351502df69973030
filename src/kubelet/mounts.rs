//! Volumes: whether they can be mounted, and what a container sees of them.

use super::dns::ResolvConf;
use super::environment::{Within, container_tree, field_of, host_name, keys_of, text_of};
use super::token;
use crate::api::pod::{Pod, TOKEN_MOUNT_PATH};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::container::{Backing, Given, Machine, Mount, Setting, Trees, User, images};
use crate::store::Store;
use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::Arc;

type Files = BTreeMap<String, Given>;

/// The tree of a node's disk.
pub fn node_disk(node: &str) -> Arc<str> {
    Arc::from(format!("node/{node}"))
}

/// What keeps a pod's volumes from being mounted, if anything does: the event's message.
pub(super) fn trouble(
    api: &Store,
    object: &Object,
    node: &str,
    disks: &mut Trees,
) -> Option<String> {
    let tree = &object.pod()?.spec.tree;
    let volumes = tree.items_at(&["volumes"]);
    // A claim that is not there or not bound keeps all volumes back.
    let claims = volumes.iter().filter_map(|volume| {
        let claim = volume.str_at(&["persistentVolumeClaim", "claimName"])?;
        let why = claim_trouble(api, &object.meta.namespace, claim)?;
        let name = volume.str_at(&["name"]).unwrap_or_default();
        let namespace = &object.meta.namespace;
        Some(format!(
            "Unable to attach or mount volumes: unmounted volumes=[{name}], unattached volumes=[], \
             failed to process volumes=[{name}]: error processing PVC {namespace}/{claim}: {why}"
        ))
    });
    if let Some(message) = claims.into_iter().next() {
        return Some(message);
    }
    volumes.iter().find_map(|volume| {
        let name = volume.str_at(&["name"]).unwrap_or_default();
        let why = volume_trouble(api, object, volume, node, disks)?;
        Some(format!("MountVolume.SetUp failed for volume \"{name}\" : {why}"))
    })
}

/// Models pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go
/// getPVCExtractPV.
fn claim_trouble(api: &Store, namespace: &str, claim: &str) -> Option<String> {
    let Some(claim_object) = api.find(Kind::PersistentVolumeClaim, namespace, claim) else {
        return Some(format!(
            "failed to fetch PVC from API server: persistentvolumeclaims \"{claim}\" not found"
        ));
    };
    (claim_object.status().str_at(&["phase"]) != Some("Bound"))
        .then(|| "PVC is not bound".to_owned())
}

fn volume_trouble(
    api: &Store,
    object: &Object,
    volume: &Value,
    node: &str,
    disks: &mut Trees,
) -> Option<String> {
    if let Some(source) = volume.at(&["configMap"]) {
        return given_trouble(api, object, Kind::ConfigMap, source);
    }
    if let Some(source) = volume.at(&["secret"]) {
        return given_trouble(api, object, Kind::Secret, source);
    }
    if let Some(source) = volume.at(&["hostPath"]) {
        return host_path_trouble(source, node, disks);
    }
    if let Some(claim) = volume.str_at(&["persistentVolumeClaim", "claimName"]) {
        let claim = api.find(Kind::PersistentVolumeClaim, &object.meta.namespace, claim)?;
        let name = claim.spec().str_at(&["volumeName"])?;
        let source = api.find(Kind::PersistentVolume, "", name)?.spec().at(&["hostPath"])?;
        return host_path_trouble(source, node, disks);
    }
    let sources = volume.items_at(&["projected", "sources"]);
    sources.iter().find_map(|source| {
        let map = source.at(&["configMap"]).map(|it| (Kind::ConfigMap, it));
        let (kind, source) = map.or_else(|| Some((Kind::Secret, source.at(&["secret"])?)))?;
        given_trouble(api, object, kind, source)
    })
}

/// A config map or a secret must be there, with the keys that are asked for.
///
/// Models pkg/volume/{configmap,secret}/*.go SetUpAt and MakePayload.
fn given_trouble(api: &Store, object: &Object, kind: Kind, source: &Value) -> Option<String> {
    if source.bool_at(&["optional"]) == Some(true) {
        return None;
    }
    let name = source.str_at(&["name"]).or_else(|| source.str_at(&["secretName"]))?;
    let word = if kind == Kind::Secret { "secret" } else { "configmap" };
    let Some(found) = api.find(kind, &object.meta.namespace, name) else {
        return Some(format!("{word} \"{name}\" not found"));
    };
    let missing = source.items_at(&["items"]).iter().find_map(|item| {
        let key = item.str_at(&["key"])?;
        let is_there =
            ["data", "binaryData"].iter().any(|data| found.content().at(&[data, key]).is_some());
        (!is_there).then_some(key)
    })?;
    Some(match kind {
        Kind::Secret => format!("references non-existent secret key: {missing}"),
        _ => format!("configmap references non-existent config key: {missing}"),
    })
}

/// Models pkg/volume/hostpath/host_path.go checkTypeInternal.
fn host_path_trouble(source: &Value, node: &str, disks: &mut Trees) -> Option<String> {
    let path = source.str_at(&["path"]).unwrap_or("/");
    let wanted = source.str_at(&["type"]).unwrap_or_default();
    if wanted.is_empty() {
        return None;
    }
    let mut machine = Machine::new(node_disk(node), disks);
    let check = |what: &str| Some(format!("hostPath type check failed: {path} is not a {what}"));
    match wanted {
        "DirectoryOrCreate" => {
            machine.make_folder(path);
            (!machine.is_folder(path)).then(|| check("directory")).flatten()
        }
        "Directory" => (!machine.is_folder(path)).then(|| check("directory")).flatten(),
        "FileOrCreate" => {
            machine.make_file(path);
            (!machine.is_file(path)).then(|| check("file")).flatten()
        }
        "File" => (!machine.is_file(path)).then(|| check("file")).flatten(),
        "Socket" if path.ends_with(".sock") => None,
        "Socket" => check("socket file"),
        "CharDevice" if path.starts_with("/dev/") => None,
        "CharDevice" => check("character device"),
        _ => check("block device"),
    }
}

/// What is fixed of a container: its image, its mounts, its user.
pub fn setting(api: &Store, object: &Object, place: usize, references: &[Arc<Object>]) -> Setting {
    let Some((pod, container)) = object.pod().zip(container_tree(object, place)) else {
        return Setting::default();
    };
    let within = Within { api, pod: object, container, references };
    let mut mounts = own_files(object);
    for mount in container.items_at(&["volumeMounts"]) {
        let name = mount.str_at(&["name"]).unwrap_or_default();
        let volumes = pod.spec.tree.items_at(&["volumes"]);
        let Some(volume) = volumes.iter().find(|it| it.str_at(&["name"]) == Some(name)) else {
            continue;
        };
        let Some((backing, folder, given)) = backing(&within, volume) else { continue };
        let sub_path = match mount.str_at(&["subPathExpr"]) {
            Some(path) => within.expanded(path),
            None => mount.str_at(&["subPath"]).unwrap_or_default().to_owned(),
        };
        let sub_path = [folder.as_str(), sub_path.trim_matches('/')]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("/");
        let path = mount.str_at(&["mountPath"]).unwrap_or_default().trim_end_matches('/');
        let read_only = given || mount.bool_at(&["readOnly"]) == Some(true);
        mounts.push(Mount { path: path.to_owned(), backing, sub_path, read_only });
    }
    if pod.token_volume.is_some() && !mounts.iter().any(|mount| mount.path == TOKEN_MOUNT_PATH) {
        let backing = Backing::Given(Arc::new(account_files(api, object)));
        let (path, sub_path) = (TOKEN_MOUNT_PATH.to_owned(), String::new());
        mounts.push(Mount { path, backing, sub_path, read_only: true });
    }
    let read_only = container.bool_at(&["securityContext", "readOnlyRootFilesystem"]);
    Setting {
        image: container.str_at(&["image"]).unwrap_or_default().to_owned(),
        mounts,
        user: user(&pod.spec.tree, container),
        read_only: read_only == Some(true),
        host_name: host_name(object),
        ip: pod.status.pod_ip,
    }
}

/// Whether what a pod writes can be seen from elsewhere.
pub(super) fn shares_disks(object: &Object) -> bool {
    let volumes = object.pod().map(|pod| pod.spec.tree.items_at(&["volumes"]));
    let is_disk = |volume: &Value| {
        ["persistentVolumeClaim", "hostPath", "nfs", "csi", "ephemeral", "iscsi"]
            .iter()
            .any(|source| volume.get(*source).is_some())
    };
    volumes.into_iter().flatten().any(is_disk)
}

impl Within<'_> {
    fn expanded(&self, text: &str) -> String {
        let all = self.environment();
        let mut text = text.to_owned();
        for (name, value) in all {
            text = text.replace(&format!("$({name})"), &value);
        }
        text
    }
}

/// Where a volume's files are, the folder in it, and whether they are given.
fn backing(within: &Within<'_>, volume: &Value) -> Option<(Backing, String, bool)> {
    let name = volume.str_at(&["name"])?;
    let namespace = &*within.pod.meta.namespace;
    let given = |files: Files| Some((Backing::Given(Arc::new(files)), String::new(), true));
    let own = |path: &str| {
        let node = within.pod.pod().and_then(|pod| pod.node_name.clone()).unwrap_or_default();
        let folder = path.trim_matches('/').to_owned();
        Some((Backing::Disk(node_disk(&node)), folder, false))
    };
    if let Some(source) = volume.at(&["configMap"]) {
        return given(from_object(within, Kind::ConfigMap, source));
    }
    if let Some(source) = volume.at(&["secret"]) {
        return given(from_object(within, Kind::Secret, source));
    }
    if let Some(source) = volume.at(&["downwardAPI"]) {
        return given(from_fields(within, source));
    }
    if volume.at(&["projected"]).is_some() {
        let mut files = Files::new();
        for source in volume.items_at(&["projected", "sources"]) {
            files.extend(match () {
                () if source.get("configMap").is_some() => {
                    from_object(within, Kind::ConfigMap, &source["configMap"])
                }
                () if source.get("secret").is_some() => {
                    from_object(within, Kind::Secret, &source["secret"])
                }
                () if source.get("downwardAPI").is_some() => {
                    from_fields(within, &source["downwardAPI"])
                }
                () => {
                    let path = source.str_at(&["serviceAccountToken", "path"]);
                    path.map(|path| (path.to_owned(), given_text(token::of_pod(within.pod))))
                        .into_iter()
                        .collect()
                }
            });
        }
        return given(files);
    }
    if let Some(path) = volume.str_at(&["hostPath", "path"]) {
        return own(path);
    }
    let claim = volume.str_at(&["persistentVolumeClaim", "claimName"]).map(str::to_owned);
    let claim = claim
        .or_else(|| volume.get("ephemeral").map(|_| format!("{}-{name}", within.pod.meta.name)));
    if let Some(claim) = claim {
        let claim = within.api.find(Kind::PersistentVolumeClaim, namespace, &claim)?;
        let volume_name = claim.spec().str_at(&["volumeName"])?;
        let volume = within.api.find(Kind::PersistentVolume, "", volume_name)?;
        let path = ["hostPath", "local"].iter().find_map(|it| volume.spec().str_at(&[it, "path"]));
        return match path {
            Some(path) => own(path),
            None => {
                let disk = format!("volume/{volume_name}");
                Some((Backing::Disk(Arc::from(disk)), String::new(), false))
            }
        };
    }
    if let Some(server) = volume.str_at(&["nfs", "server"]) {
        let path = volume.str_at(&["nfs", "path"]).unwrap_or_default();
        let disk = format!("nfs/{server}{path}");
        return Some((Backing::Disk(Arc::from(disk)), String::new(), false));
    }
    Some((Backing::Pod(Arc::from(name)), String::new(), false))
}

fn given_text(text: String) -> Given {
    Given { text: Arc::new(text), executable: false }
}

/// The files of a config map or a secret.
// Simplified: they are as the object is now; a kubelet brings changes within a minute and a half.
fn from_object(within: &Within<'_>, kind: Kind, source: &Value) -> Files {
    let name = source.str_at(&["name"]).or_else(|| source.str_at(&["secretName"]));
    let object = name.and_then(|name| within.api.find(kind, &within.pod.meta.namespace, name));
    let Some(object) = object else { return Files::new() };
    let usual = source.int_at(&["defaultMode"]).unwrap_or(0o644);
    let file = |key: &str, mode: i64| {
        let text = Arc::new(text_of(object, key)?);
        Some(Given { text, executable: mode & 0o111 != 0 })
    };
    let items = source.items_at(&["items"]);
    if items.is_empty() {
        let all = keys_of(object).filter_map(|key| Some((key.clone(), file(key, usual)?)));
        return all.collect();
    }
    let chosen = items.iter().filter_map(|item| {
        let mode = item.int_at(&["mode"]).unwrap_or(usual);
        Some((item.str_at(&["path"])?.to_owned(), file(item.str_at(&["key"])?, mode)?))
    });
    chosen.collect()
}

#[inline(never)]
fn from_fields(within: &Within<'_>, source: &Value) -> Files {
    let files = source.items_at(&["items"]).iter().filter_map(|item| {
        let text = match item.str_at(&["fieldRef", "fieldPath"]) {
            Some(path) => field_of(within.pod, path),
            None => within.resource(item.at(&["resourceFieldRef"])?),
        };
        Some((item.str_at(&["path"])?.to_owned(), given_text(text)))
    });
    files.collect()
}

/// What the ServiceAccount admission mounts.
fn account_files(api: &Store, object: &Object) -> Files {
    let namespace = object.meta.namespace.to_string();
    let root = api.find(Kind::ConfigMap, &namespace, "kube-root-ca.crt");
    let certificate = root.and_then(|map| text_of(map, "ca.crt")).unwrap_or_default();
    [
        ("ca.crt".to_owned(), given_text(certificate)),
        ("namespace".to_owned(), given_text(namespace)),
        ("token".to_owned(), given_text(token::of_pod(object))),
    ]
    .into()
}

/// The files in /etc that the kubelet and the runtime write for every pod.
fn own_files(object: &Object) -> Vec<Mount> {
    let single = |path: &str, text: String| Mount {
        path: path.to_owned(),
        backing: Backing::Given(Arc::new([(String::new(), given_text(text))].into())),
        sub_path: String::new(),
        read_only: false,
    };
    vec![
        single("/etc/hostname", host_name(object) + "\n"),
        single("/etc/hosts", hosts(object)),
        single("/etc/resolv.conf", ResolvConf::of_pod(object).text()),
    ]
}

/// The text of a pod's /etc/hosts.
///
/// Models pkg/kubelet/kubelet_pods.go managedHostsFileContent.
pub fn hosts(object: &Object) -> String {
    let mut text = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n".to_owned();
    let Some(pod) = object.pod() else { return text };
    let name = host_name(object);
    let domain = pod.spec.tree.str_at(&["subdomain"]).filter(|domain| !domain.is_empty());
    if let Some(ip) = pod.status.pod_ip {
        let namespace = &object.meta.namespace;
        text.push_str(&match domain {
            Some(domain) => {
                format!("{ip}\t{name}.{domain}.{namespace}.svc.cluster.local\t{name}\n")
            }
            None => format!("{ip}\t{name}\n"),
        });
    }
    let aliases = pod.spec.tree.items_at(&["hostAliases"]);
    if !aliases.is_empty() {
        text.push_str("\n# Entries added by HostAliases.\n");
    }
    for alias in aliases {
        let names = alias.items_at(&["hostnames"]).iter().filter_map(Value::as_str);
        let names = names.collect::<Vec<_>>().join("\t");
        text.push_str(&format!("{}\t{names}\n", alias.str_at(&["ip"]).unwrap_or_default()));
    }
    text
}

/// The address that a pod's /etc/hosts has for a name.
pub fn host_at(object: &Object, name: &str) -> Option<IpAddr> {
    // Names that cannot be in there are told without making it.
    let has_aliases = |pod: &Pod| !pod.spec.tree.items_at(&["hostAliases"]).is_empty();
    let begins =
        |with: &str| name.get(..with.len()).is_some_and(|first| first.eq_ignore_ascii_case(with));
    let could_be = begins("localhost") || begins("ip6-") || begins(&host_name(object));
    if !could_be && !object.pod().is_some_and(has_aliases) {
        return None;
    }
    let text = hosts(object);
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut words = line.split_whitespace();
        let ip = words.next()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then(|| ip.parse().ok())?
    })
}

/// Who the processes of a container are.
///
/// Models pkg/securitycontext/util.go DetermineEffectiveSecurityContext.
fn user(spec: &Value, container: &Value) -> User {
    let either = |key: &str| {
        let own = container.int_at(&["securityContext", key]);
        own.or_else(|| spec.int_at(&["securityContext", key])).and_then(|id| u32::try_from(id).ok())
    };
    let image = container.str_at(&["image"]).unwrap_or_default();
    let of_image = images::user_of(image).unwrap_or_default();
    let (uid, gid) = of_image.split_once(':').unwrap_or((of_image, "0"));
    let number = |text: &str| text.parse::<u32>().ok();
    let uid = either("runAsUser").or_else(|| number(uid)).unwrap_or(0);
    let groups = spec.items_at(&["securityContext", "supplementalGroups"]).iter();
    let groups = groups.chain(spec.at(&["securityContext", "fsGroup"]));
    let groups = groups.filter_map(|id| id.as_u64().and_then(|id| u32::try_from(id).ok()));
    User {
        uid,
        gid: either("runAsGroup").or_else(|| number(gid)).unwrap_or(0),
        groups: groups.collect(),
    }
}
