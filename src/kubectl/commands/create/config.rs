//! `kubectl create configmap` and `kubectl create secret`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/create/create_configmap.go and create_secret*.go.

use super::{begin_named, finish, named};
use crate::api::error::go_quote;
use crate::api::tree::TreeMut as _;
use crate::api::validation::names::{config_key, variable_name};
use crate::api::{Kind, Value, certificate};
use crate::kubectl::call::Call;
use crate::kubectl::content_hash::content_hash;
use crate::kubectl::failure::{Failure, Outcome, plain};
use data_encoding::BASE64;
use serde_json::{Map, json};

/// The key of a Secret that images are pulled with.
const DOCKER_CONFIG: &str = ".dockerconfigjson";

/// What becomes the data of an object.
struct Data<'a> {
    kind: Kind,
    name: &'a str,
    data: Map<String, Value>,
}

impl<'a> Data<'a> {
    fn new(kind: Kind, name: &'a str) -> Self {
        Data { kind, name, data: Map::new() }
    }

    /// Models addKeyFromLiteralToConfigMap and addKeyFromLiteralToSecret.
    fn add(&mut self, key: &str, text: &str) -> Outcome {
        let of_secret = self.kind == Kind::Secret;
        let wrong = config_key(key);
        if !wrong.is_empty() {
            let (quoted, commas, semicolons) = (go_quote(key), wrong.join(","), wrong.join(";"));
            return plain(match of_secret {
                true => format!("{quoted} is not valid key name for a Secret {semicolons}"),
                false => format!("{quoted} is not a valid key name for a ConfigMap: {commas}"),
            });
        }
        if self.data.contains_key(key) {
            let (quoted, name) = (go_quote(key), go_quote(self.name));
            return plain(match of_secret {
                true => format!("cannot add key {key}, another key by that name already exists"),
                false => format!(
                    "cannot add key {quoted}, another key by that name already exists in Data for ConfigMap {name}"
                ),
            });
        }
        self.data.insert(key.to_owned(), text.into());
        Ok(())
    }

    /// `--from-literal`.
    fn add_literals(&mut self, call: &Call<'_>) -> Outcome {
        for literal in call.flags.all("from-literal") {
            match literal.split_once('=') {
                Some((key, text)) if !key.is_empty() => self.add(key, text)?,
                _ => {
                    return plain(format!("invalid literal source {literal}, expected key=value"));
                }
            }
        }
        Ok(())
    }

    /// Files, or all of those in a folder.
    ///
    /// Models handleConfigMapFromFileSources and handleSecretFromFileSources.
    fn add_files(&mut self, call: &Call<'_>, sources: &[String]) -> Outcome {
        for source in sources {
            let (key, path) = file_source(source)?;
            if let Some(text) = file(call, path) {
                self.add(key, text)?;
                continue;
            }
            if !call.session.is_folder(path) {
                return plain(format!("error reading {path}: no such file or directory"));
            }
            if source.contains('=') {
                return plain("cannot give a key name for a directory path");
            }
            let folder = path.trim_end_matches('/');
            for name in call.session.names(path) {
                if let Some(text) = call.session.read(&format!("{folder}/{name}")) {
                    self.add(&name, text)?;
                }
            }
        }
        Ok(())
    }

    /// The lines of files that set variables.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/util/env_file.go.
    fn add_variables(&mut self, call: &Call<'_>) -> Outcome {
        for path in call.flags.list("from-env-file") {
            let Some(text) = file(call, &path) else {
                let what = if self.kind == Kind::Secret { "secret" } else { "config" };
                return plain(match call.session.is_folder(&path) {
                    true => format!("env {what} file cannot be a directory"),
                    false => format!("error reading {path}: no such file or directory"),
                });
            };
            let lines = text.lines().map(str::trim_start);
            for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
                // Simplified: a name alone has no value, for kubectl does not see the shell's.
                let (key, value) = line.split_once('=').unwrap_or((line, ""));
                let wrong = variable_name(key);
                if !wrong.is_empty() {
                    let (key, wrong) = (go_quote(key), wrong.join(";"));
                    return plain(format!("{key} is not a valid key name: {wrong}"));
                }
                self.add(key, value)?;
            }
        }
        Ok(())
    }
}

/// The text of a file, or standard input under its name.
fn file<'a>(call: &'a Call<'_>, path: &str) -> Option<&'a str> {
    match path {
        "/dev/stdin" => Some(call.stdin.unwrap_or_default()),
        path => call.session.read(path),
    }
}

/// The key and the path of `[KEY=]FILE`.
///
/// Models staging/src/k8s.io/kubectl/pkg/util/util.go ParseFileSource.
fn file_source(source: &str) -> Result<(&str, &str), Failure> {
    let Some((key, path)) = source.split_once('=') else {
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        return Ok((name, source));
    };
    match (key, path) {
        (_, path) if path.contains('=') => plain("key names or file paths cannot contain '='"),
        ("", path) => plain(format!("key name for file path {path} missing")),
        (key, "") => plain(format!("file path for key name {key} missing")),
        pair => Ok(pair),
    }
}

fn sources_go_together(call: &Call<'_>) -> Outcome {
    let given = |flag| !call.flags.all(flag).is_empty();
    match given("from-env-file") && (given("from-file") || given("from-literal")) {
        true => plain("from-env-file cannot be combined with from-file or from-literal"),
        false => Ok(()),
    }
}

/// The name with `--append-hash`: ten letters that follow from what is in the object.
///
/// Models staging/src/k8s.io/kubectl/pkg/util/hash/hash.go.
fn hashed_name(call: &Call<'_>, name: &str, content: &Value) -> String {
    if !call.flags.on("append-hash") {
        return name.to_owned();
    }
    let suffix = content_hash(content);
    format!("{name}-{suffix}")
}

/// `kubectl create configmap`.
pub(crate) fn config_map(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    sources_go_together(call)?;
    let mut all = Data::new(Kind::ConfigMap, &name);
    all.add_files(call, &call.flags.list("from-file"))?;
    all.add_literals(call)?;
    all.add_variables(call)?;
    let data = Value::Object(all.data);
    let content = json!({"data": data, "kind": "ConfigMap", "name": name});
    let mut value = named(Kind::ConfigMap, &hashed_name(call, &name, &content));
    put_data(&mut value, data);
    finish(call, Kind::ConfigMap, value, "configmap:")
}

fn put_data(value: &mut Value, data: Value) {
    if data.as_object().is_some_and(|data| !data.is_empty()) {
        value.put(&["data"], data);
    }
}

fn secret(call: &mut Call<'_>, name: &str, data: Map<String, Value>, kind: &str) -> Outcome {
    let encode = |(key, value): (String, Value)| {
        let text = value.as_str().unwrap_or_default();
        (key, Value::from(BASE64.encode(text.as_bytes())))
    };
    let data: Value = Value::Object(data.into_iter().map(encode).collect());
    let content = json!({"data": data, "kind": "Secret", "name": name, "type": kind});
    let mut value = named(Kind::Secret, &hashed_name(call, name, &content));
    put_data(&mut value, data);
    if !kind.is_empty() {
        value.put(&["type"], kind);
    }
    finish(call, Kind::Secret, value, "secret")
}

/// `kubectl create secret generic`.
pub(crate) fn secret_generic(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    sources_go_together(call)?;
    let mut all = Data::new(Kind::Secret, &name);
    all.add_literals(call)?;
    all.add_files(call, &call.flags.list("from-file"))?;
    all.add_variables(call)?;
    let (data, kind) = (all.data, call.flags.text("type").to_owned());
    secret(call, &name, data, &kind)
}

/// `kubectl create secret tls`.
pub(crate) fn secret_tls(call: &mut Call<'_>) -> Outcome {
    let name = super::begin(call)?;
    let (cert, key) = (call.flags.text("cert"), call.flags.text("key"));
    if cert.is_empty() || key.is_empty() {
        return plain("key and cert must be specified");
    }
    let open = |path: &str| {
        file(call, path).map(str::to_owned).ok_or_else(|| {
            let why = format!("Cannot read file {path}, open {path}: no such file or directory");
            Failure::Plain(why)
        })
    };
    let (cert, key) = (open(cert)?, open(key)?);
    if let Some(why) = certificate::pair_fault(&cert, &key) {
        return plain(why);
    }
    let data = [("tls.crt", cert), ("tls.key", key)];
    let data = data.into_iter().map(|(key, text)| (key.to_owned(), text.into())).collect();
    secret(call, &name, data, "kubernetes.io/tls")
}

/// Whether two texts hold a certificate and a key.
///
/// `kubectl create secret docker-registry`.
pub(crate) fn secret_docker(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    let text = |flag| call.flags.text(flag).to_owned();
    let (user, password, server) =
        (text("docker-username"), text("docker-password"), text("docker-server"));
    let mut files = call.flags.list("from-file");
    if files.is_empty() && [&user, &password, &server].iter().any(|text| text.is_empty()) {
        return plain(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
        );
    }
    let mut all = Data::new(Kind::Secret, &name);
    for source in files.iter_mut().filter(|source| !source.contains('=')) {
        *source = format!("{DOCKER_CONFIG}={source}");
    }
    match files.is_empty() {
        false => all.add_files(call, &files)?,
        true => {
            let auth = BASE64.encode(format!("{user}:{password}").as_bytes());
            let entries = [
                ("username", user),
                ("password", password),
                ("email", text("docker-email")),
                ("auth", auth),
            ];
            let entries = entries.iter().filter(|(_, text)| !text.is_empty());
            let entries: Vec<String> =
                entries.map(|(key, text)| format!("{}:{}", json!(key), json!(text))).collect();
            // A Go type's fields keep their order.
            let config = format!("{{\"auths\":{{{}:{{{}}}}}}}", json!(server), entries.join(","));
            all.add(DOCKER_CONFIG, &config)?;
        }
    }
    let data = all.data;
    secret(call, &name, data, "kubernetes.io/dockerconfigjson")
}
