//! `kubectl create KIND`: objects made from flags.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/create.

use super::run::int_or_string;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::output::complete_for_client;
use crate::kubectl::resources;
use serde_json::{Map, json};

/// An object of a kind with its name.
fn named(kind: Kind, name: &str) -> Value {
    json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": {"name": name}})
}

/// Creates it; what fails is said in the words of `create`.
fn finish(call: &mut Call<'_>, kind: Kind, mut value: Value, what: &str) -> Outcome {
    complete_for_client(kind, &mut value);
    call.create_generated(kind, value, "created").map_err(|failure| match failure {
        Failure::Api(error) => {
            Failure::Plain(format!("failed to create {what}: {}", error.message))
        }
        other => other,
    })
}

/// The pod specification of one image with a command.
fn pod_spec(name: &str, image: &str, command: Option<&[String]>, restart: Option<&str>) -> Value {
    let mut container = json!({"name": name, "image": image, "resources": {}});
    if let Some(command) = command.filter(|command| !command.is_empty()) {
        container.put(&["command"], command.to_vec());
    }
    let mut spec = json!({"containers": [container]});
    if let Some(restart) = restart {
        spec.put(&["restartPolicy"], restart);
    }
    spec
}

/// The last part of an image's name, `nginx` of `registry/nginx:1.27`.
fn short_image_name(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or_default();
    let last = last.split(['@', ':']).next().unwrap_or_default();
    last.replace(['_', '.'], "-").to_lowercase()
}

/// `kubectl create deployment`.
pub(crate) fn deployment(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let images = call.flags.list("image");
    if images.is_empty() {
        return plain("required flag(s) \"image\" not set");
    }
    let command = call.after_dash.clone();
    if images.len() > 1 && command.is_some() {
        return plain("cannot specify multiple --image options and command");
    }
    let containers: Vec<Value> = images
        .iter()
        .map(|image| {
            let spec = pod_spec(&short_image_name(image), image, command.as_deref(), None);
            spec.items_at(&["containers"]).first().cloned().unwrap_or(Value::Null)
        })
        .collect();
    let replicas = call.flags.int("replicas")?.unwrap_or(1);
    if replicas < 0 {
        return plain(format!(
            "failed to create deployment: Deployment.apps \"{name}\" is invalid: spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0"
        ));
    }
    let marks = json!({"app": name});
    let mut value = named(Kind::Deployment, &name);
    value.put(&["metadata", "labels"], marks.clone());
    value.put(
        &["spec"],
        json!({
            "replicas": replicas, "selector": {"matchLabels": marks}, "strategy": {},
            "template": {"metadata": {"labels": marks}, "spec": {"containers": containers}},
        }),
    );
    if let Some(port) = call.flags.int("port")?.filter(|port| *port >= 0)
        && let Some(containers) =
            value.entry(&["spec", "template", "spec", "containers"]).as_array_mut()
    {
        for container in containers {
            container.put(&["ports"], json!([{"containerPort": port}]));
        }
    }
    finish(call, Kind::Deployment, value, "deployment")
}

/// `kubectl create namespace`.
pub(crate) fn namespace(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let mut value = named(Kind::Namespace, &name);
    value.put(&["spec"], json!({}));
    complete_for_client(Kind::Namespace, &mut value);
    call.create_generated(Kind::Namespace, value, "created")
}

/// What `--from-literal`, `--from-file` and `--from-env-file` give.
fn sources(call: &Call<'_>) -> Result<Map<String, Value>, Failure> {
    let mut data = Map::new();
    let mut add = |key: &str, text: String| {
        if data.insert(key.to_owned(), text.into()).is_some() {
            return plain(format!(
                "cannot add key \"{key}\", another key by that name already exists"
            ));
        }
        Ok(())
    };
    for path in call.flags.list("from-file") {
        let (key, path) = path.split_once('=').map_or_else(
            || (path.rsplit('/').next().unwrap_or_default().to_owned(), path.clone()),
            |(key, path)| (key.to_owned(), path.to_owned()),
        );
        let text = call.read(&path).map_err(|_| {
            Failure::Plain(format!("error reading {path}: no such file or directory"))
        })?;
        add(&key, text)?;
    }
    for literal in call.flags.all("from-literal") {
        let Some((key, text)) = literal.split_once('=') else {
            return plain(format!("invalid literal source {literal}, expected key=value"));
        };
        let text = text.trim_matches(['"', '\'']);
        add(key, text.to_owned())?;
    }
    for path in call.flags.list("from-env-file") {
        let text = call.read(&path)?;
        for line in
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (key, text) = line.split_once('=').unwrap_or((line, ""));
            add(key, text.to_owned())?;
        }
    }
    Ok(data)
}

/// `kubectl create configmap`.
pub(crate) fn config_map(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let data = sources(call)?;
    let mut value = named(Kind::ConfigMap, &name);
    if !data.is_empty() {
        value.put(&["data"], data);
    }
    finish(call, Kind::ConfigMap, value, "configmap")
}

fn secret(call: &mut Call<'_>, name: &str, data: Map<String, Value>, kind: &str) -> Outcome {
    let encode = |(key, value): (String, Value)| {
        let text = value.as_str().unwrap_or_default();
        (key, Value::from(data_encoding::BASE64.encode(text.as_bytes())))
    };
    let data: Map<String, Value> = data.into_iter().map(encode).collect();
    let mut value = named(Kind::Secret, name);
    if !data.is_empty() {
        value.put(&["data"], data);
    }
    if !kind.is_empty() {
        value.put(&["type"], kind);
    }
    call.create_generated(Kind::Secret, value, "created").map_err(|failure| match failure {
        Failure::Api(error) => Failure::Plain(format!("failed to create secret {}", error.message)),
        other => other,
    })
}

/// `kubectl create secret generic`.
pub(crate) fn secret_generic(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let data = sources(call)?;
    let kind = call.flags.text("type").to_owned();
    secret(call, &name, data, &kind)
}

/// `kubectl create secret tls`.
pub(crate) fn secret_tls(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let (cert, key) = (call.flags.text("cert").to_owned(), call.flags.text("key").to_owned());
    if cert.is_empty() || key.is_empty() {
        return plain("key and cert must be specified");
    }
    let open = |path: &str| {
        call.read(path)
            .map_err(|_| Failure::Plain(format!("open {path}: no such file or directory")))
    };
    let data = [("tls.crt", open(&cert)?), ("tls.key", open(&key)?)];
    let data = data.into_iter().map(|(key, text)| (key.to_owned(), text.into())).collect();
    secret(call, &name, data, "kubernetes.io/tls")
}

/// `kubectl create secret docker-registry`.
pub(crate) fn secret_docker(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let text = |flag| call.flags.text(flag).to_owned();
    let (user, password) = (text("docker-username"), text("docker-password"));
    if user.is_empty() || password.is_empty() {
        return plain(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
        );
    }
    let auth = data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes());
    let mut entry = json!({"username": user, "password": password, "auth": auth});
    if !text("docker-email").is_empty() {
        entry.put(&["email"], text("docker-email"));
    }
    let mut auths = Map::new();
    auths.insert(text("docker-server"), entry);
    let config = json!({"auths": auths}).to_string();
    let data = [(".dockerconfigjson".to_owned(), Value::from(config))].into_iter().collect();
    secret(call, &name, data, "kubernetes.io/dockerconfigjson")
}

/// `kubectl create job`.
pub(crate) fn job(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let image = call.flags.text("image").to_owned();
    let from = call.flags.text("from").to_owned();
    let mut value = named(Kind::Job, &name);
    if !from.is_empty() {
        let Some(resources::Query::Named(Kind::CronJob, cron)) =
            resources::queries(&[from])?.into_iter().next()
        else {
            return plain("from must be an existing cronjob");
        };
        let cron = call.object(Kind::CronJob, &call.namespace(), &cron)?;
        let owner = &cron.meta;
        let template = shown(&cron).at(&["spec", "jobTemplate"]).cloned().unwrap_or(Value::Null);
        value.put(&["spec"], template.get("spec").cloned().unwrap_or(Value::Null));
        for field in ["labels", "annotations"] {
            if let Some(map) = template.at(&["metadata", field]) {
                value.put(&["metadata", field], map.clone());
            }
        }
        value.put(&["metadata", "annotations", "cronjob.kubernetes.io/instantiate"], "manual");
        value.put(
            &["metadata", "ownerReferences"],
            json!([{
                "apiVersion": "batch/v1", "kind": "CronJob", "name": *owner.name,
                "uid": owner.uid.to_string(), "controller": true,
            }]),
        );
    } else if image.is_empty() {
        return plain("either --image or --from must be specified");
    } else {
        let restart = call.flags.get("restart").unwrap_or("Never").to_owned();
        let spec = pod_spec(&name, &image, call.after_dash.as_deref(), Some(&restart));
        value.put(&["spec", "template"], json!({"metadata": {}, "spec": spec}));
    }
    finish(call, Kind::Job, value, "job")
}

/// `kubectl create cronjob`.
pub(crate) fn cron_job(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let (image, schedule) =
        (call.flags.text("image").to_owned(), call.flags.text("schedule").to_owned());
    let missing: Vec<&str> = [("image", &image), ("schedule", &schedule)]
        .iter()
        .filter(|(_, v)| v.is_empty())
        .map(|(n, _)| *n)
        .collect();
    if !missing.is_empty() {
        return plain(format!("required flag(s) \"{}\" not set", missing.join("\", \"")));
    }
    let restart = call.flags.get("restart").unwrap_or("OnFailure").to_owned();
    let spec = pod_spec(&name, &image, call.after_dash.as_deref(), Some(&restart));
    let mut value = named(Kind::CronJob, &name);
    value.put(&["spec"], json!({
        "schedule": schedule,
        "jobTemplate": {"metadata": {"name": name}, "spec": {"template": {"metadata": {}, "spec": spec}}},
    }));
    finish(call, Kind::CronJob, value, "cronjob")
}

/// `kubectl create service clusterip|nodeport|loadbalancer|externalname`.
pub(crate) fn service(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let kind = match call.verb.path.rsplit(' ').next() {
        Some("nodeport") => "NodePort",
        Some("loadbalancer") => "LoadBalancer",
        Some("externalname") => "ExternalName",
        _ => "ClusterIP",
    };
    let pairs = call.flags.list("tcp");
    let headless = call.flags.get("clusterip") == Some("None");
    if pairs.is_empty() && !headless && kind != "ExternalName" {
        return plain("at least one tcp port specifier must be provided");
    }
    if pairs.is_empty() && headless && kind != "ClusterIP" {
        return plain("at least one tcp port specifier must be provided");
    }
    let node_port = call.flags.int("node-port")?.filter(|port| *port > 0);
    let mut ports = Vec::new();
    for pair in &pairs {
        let (port, target) = pair.split_once(':').unwrap_or((pair, pair));
        let Ok(number) = port.parse::<i64>() else {
            return plain(format!("strconv.Atoi: parsing \"{port}\": invalid syntax"));
        };
        let name = pair.replace(':', "-");
        let mut entry = json!({"name": name, "port": number, "protocol": "TCP", "targetPort": int_or_string(target)});
        if let Some(node_port) = node_port {
            entry.put(&["nodePort"], node_port);
        }
        ports.push(entry);
    }
    let marks = json!({"app": name});
    let mut value = named(Kind::Service, &name);
    value.put(&["metadata", "labels"], marks.clone());
    value.put(&["spec"], json!({"type": kind, "selector": marks}));
    if !ports.is_empty() {
        value.put(&["spec", "ports"], ports);
    }
    if let Some(address) = call.flags.get("clusterip") {
        value.put(&["spec", "clusterIP"], address);
    }
    if kind == "ExternalName" {
        let Some(external) = call.flags.get("external-name") else {
            return plain("required flag(s) \"external-name\" not set");
        };
        value.put(&["spec", "externalName"], external);
    }
    finish(call, Kind::Service, value, &format!("{kind} service"))
}

/// `kubectl create ingress`.
pub(crate) fn ingress(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let rules = call.flags.all("rule").to_vec();
    let fallback = call.flags.get("default-backend").map(str::to_owned);
    if rules.is_empty() && fallback.is_none() {
        return plain(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        );
    }
    let mut value = named(Kind::Ingress, &name);
    for pair in call.flags.all("annotation") {
        let Some((key, text)) = pair.split_once('=') else {
            return plain(format!(
                "annotation {pair} is invalid and should be in format key=[value]"
            ));
        };
        value.put(&["metadata", "annotations", key], text);
    }
    value.put(&["spec"], json!({}));
    if let Some(class) = call.flags.get("class") {
        value.put(&["spec", "ingressClassName"], class);
    }
    if let Some(text) = fallback {
        let Some(backend) = backend(&text) else {
            return plain("default-backend should be in format servicename:serviceport");
        };
        value.put(&["spec", "defaultBackend"], backend);
    }
    let (mut hosts, mut tls): (Vec<(String, Vec<Value>)>, Vec<Value>) = (Vec::new(), Vec::new());
    for rule in &rules {
        let wrong = || {
            Failure::Plain(format!(
                "rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ))
        };
        let (place, rest) = rule.split_once('=').ok_or_else(wrong)?;
        let (host, path) = place.split_once('/').ok_or_else(wrong)?;
        let (service, secure) = rest
            .split_once(",tls")
            .map_or((rest, None), |(service, secret)| (service, Some(secret)));
        let path = format!("/{path}");
        let (path, how) = match path.strip_suffix('*') {
            Some(prefix) => (prefix.to_owned(), "Prefix"),
            None => (path, "Exact"),
        };
        let entry =
            json!({"path": path, "pathType": how, "backend": backend(service).ok_or_else(wrong)?});
        match hosts.iter_mut().find(|(known, _)| known == host) {
            Some((_, paths)) => paths.push(entry),
            None => hosts.push((host.to_owned(), vec![entry])),
        }
        tls.extend(secure.map(|secret| tls_entry(host, secret)));
    }
    if !hosts.is_empty() {
        let rule = |(host, paths): (String, Vec<Value>)| match host.as_str() {
            "" => json!({"http": {"paths": paths}}),
            host => json!({"host": host, "http": {"paths": paths}}),
        };
        value.put(&["spec", "rules"], hosts.into_iter().map(rule).collect::<Vec<_>>());
    }
    if !tls.is_empty() {
        value.put(&["spec", "tls"], tls);
    }
    value.put(&["status", "loadBalancer"], json!({}));
    finish(call, Kind::Ingress, value, "ingress")
}

/// What `,tls` or `,tls=SECRET` after a rule asks for.
fn tls_entry(host: &str, secret: &str) -> Value {
    let mut entry = json!({});
    if !host.is_empty() {
        entry.put(&["hosts"], json!([host]));
    }
    if let Some(secret) = secret.strip_prefix('=') {
        entry.put(&["secretName"], secret);
    }
    entry
}

fn backend(text: &str) -> Option<Value> {
    let (service, port) = text.split_once(':')?;
    let port = match port.parse::<i64>() {
        Ok(number) => json!({ "number": number }),
        Err(_) => json!({ "name": port }),
    };
    Some(json!({"service": {"name": service, "port": port}}))
}

/// `kubectl create quota`.
pub(crate) fn quota(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let mut hard = Map::new();
    for pair in call.flags.list("hard") {
        let Some((resource, amount)) = pair.split_once('=') else {
            return plain(format!("Invalid argument syntax {pair}, expected <resource>=<value>"));
        };
        hard.insert(resource.to_owned(), amount.into());
    }
    let mut value = named(Kind::ResourceQuota, &name);
    value.put(&["spec"], json!({}));
    if !hard.is_empty() {
        value.put(&["spec", "hard"], hard);
    }
    let scopes = call.flags.list("scopes");
    if !scopes.is_empty() {
        value.put(&["spec", "scopes"], scopes);
    }
    finish(call, Kind::ResourceQuota, value, "quota")
}

/// `kubectl create serviceaccount`.
pub(crate) fn service_account(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let value = named(Kind::ServiceAccount, &name);
    finish(call, Kind::ServiceAccount, value, "serviceaccount")
}

/// The rules that `--verb` and `--resource` make: one for each API group.
fn rules(call: &Call<'_>) -> Result<Vec<Value>, Failure> {
    let verbs = call.flags.list("verb");
    if verbs.is_empty() {
        return plain("at least one verb must be specified");
    }
    let names = call.flags.list("resource-name");
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for word in call.flags.list("resource") {
        let (plain_word, sub) =
            word.split_once('/').map_or((word.as_str(), ""), |(word, sub)| (word, sub));
        let (group, plural) = match plain_word {
            "*" => (String::new(), "*".to_owned()),
            word => {
                let kind = super::mapped(word)?;
                (kind.resource().group.to_owned(), kind.plural().to_owned())
            }
        };
        let resource = if sub.is_empty() { plural } else { format!("{plural}/{sub}") };
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, all)) => all.push(resource),
            None => groups.push((group, vec![resource])),
        }
    }
    let mut rules: Vec<Value> = groups
        .into_iter()
        .map(|(group, resources)| {
            let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
            if !names.is_empty() {
                rule.put(&["resourceNames"], names.clone());
            }
            rule
        })
        .collect();
    let urls = call.flags.list("non-resource-url");
    if !urls.is_empty() {
        rules.push(json!({"nonResourceURLs": urls, "verbs": verbs}));
    }
    if rules.is_empty() {
        return plain("at least one resource must be specified");
    }
    Ok(rules)
}

/// `kubectl create role`.
pub(crate) fn role(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let mut value = named(Kind::Role, &name);
    value.put(&["rules"], rules(call)?);
    call.create_generated(Kind::Role, value, "created")
}

/// `kubectl create clusterrole`.
pub(crate) fn cluster_role(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let mut value = named(Kind::ClusterRole, &name);
    value.put(&["rules"], rules(call)?);
    call.create_generated(Kind::ClusterRole, value, "created")
}

/// `kubectl create rolebinding`.
pub(crate) fn role_binding(call: &mut Call<'_>) -> Outcome {
    binding(call, Kind::RoleBinding, "rolebinding")
}

/// `kubectl create clusterrolebinding`.
pub(crate) fn cluster_role_binding(call: &mut Call<'_>) -> Outcome {
    binding(call, Kind::ClusterRoleBinding, "clusterrolebinding")
}

fn binding(call: &mut Call<'_>, kind: Kind, what: &str) -> Outcome {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let name = call.one_name()?;
    let (role, cluster_role) =
        (call.flags.text("role").to_owned(), call.flags.text("clusterrole").to_owned());
    if role.is_empty() == cluster_role.is_empty() {
        return plain(match kind {
            Kind::RoleBinding => "exactly one of clusterrole or role must be specified",
            _ => "clusterrole must be specified",
        });
    }
    let reference = match role.is_empty() {
        true => json!({"apiGroup": GROUP, "kind": "ClusterRole", "name": cluster_role}),
        false => json!({"apiGroup": GROUP, "kind": "Role", "name": role}),
    };
    let mut subjects = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        for name in call.flags.all(flag) {
            subjects.push(json!({"apiGroup": GROUP, "kind": kind, "name": name}));
        }
    }
    for account in call.flags.all("serviceaccount") {
        let Some((namespace, name)) = account.split_once(':') else {
            return plain("serviceaccount must be <namespace>:<name>");
        };
        subjects.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
    }
    let mut value = named(kind, &name);
    value.put(&["roleRef"], reference);
    if !subjects.is_empty() {
        value.put(&["subjects"], subjects);
    }
    finish(call, kind, value, what)
}

/// `kubectl create poddisruptionbudget`.
pub(crate) fn budget(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let text = call.flags.text("selector").to_owned();
    if text.is_empty() {
        return plain("a selector must be specified");
    }
    let bounds = [("min-available", "minAvailable"), ("max-unavailable", "maxUnavailable")];
    let given: Vec<(&str, Value)> = bounds
        .iter()
        .filter_map(|(flag, field)| Some((*field, int_or_string(call.flags.get(flag)?))))
        .collect();
    let mut value = named(Kind::PodDisruptionBudget, &name);
    value.put(&["spec", "selector", "matchLabels"], super::run::labels(&text)?);
    match given.as_slice() {
        [(field, bound)] => value.put(&["spec", field], bound.clone()),
        [] => return plain("one of min-available or max-unavailable must be specified"),
        _ => return plain("min-available and max-unavailable cannot be both specified"),
    }
    finish(call, Kind::PodDisruptionBudget, value, "poddisruptionbudgets")
}

/// `kubectl create priorityclass`.
pub(crate) fn priority_class(call: &mut Call<'_>) -> Outcome {
    let name = call.one_name()?;
    let mut value = named(Kind::PriorityClass, &name);
    value.put(&["value"], call.flags.int("value")?.unwrap_or(0));
    value.put(&["preemptionPolicy"], call.flags.text("preemption-policy"));
    if call.flags.on("global-default") {
        value.put(&["globalDefault"], true);
    }
    if let Some(text) = call.flags.get("description") {
        value.put(&["description"], text);
    }
    finish(call, Kind::PriorityClass, value, "priorityclass")
}

/// `kubectl create token`: this model has no keys to sign with.
pub(crate) fn token(_call: &mut Call<'_>) -> Outcome {
    plain("failed to create token: this model signs no tokens")
}
