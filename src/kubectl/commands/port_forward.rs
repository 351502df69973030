//! `kubectl port-forward`.

use super::logs::pod_of;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Uid, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources::{self, Query};
use crate::kubectl::task::{Input, Task, Wake};
use crate::programs::{Beyond, Forwarded};
use std::sync::Arc;

/// Opens ports of the person's own machine that lead into a pod.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/portforward/portforward.go.
pub(crate) fn port_forward(call: &mut Call<'_>) -> Outcome {
    let args = call.args.clone();
    let Some((word, ports)) = args.split_first().filter(|(_, ports)| !ports.is_empty()) else {
        return call.usage("TYPE/NAME and list of ports are required for port-forward");
    };
    let pod = pod_of(call, word)?;
    let service = match resources::queries(call.world.store(), std::slice::from_ref(word)) {
        Ok(queries) => match queries.first() {
            Some(Query::Named(Kind::Service, name)) => {
                Some(shown(&*call.object(Kind::Service, &call.namespace(), name)?))
            }
            _ => None,
        },
        Err(_) => None,
    };
    let value = shown(&pod);
    let pairs: Vec<(u16, u16)> = ports
        .iter()
        .map(|port| pair(port, service.as_ref(), &value))
        .collect::<Result<_, Failure>>()?;
    let phase = value.str_at(&["status", "phase"]).unwrap_or_default();
    if phase != "Running" {
        return plain(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        ));
    }
    for (local, remote) in &pairs {
        if call.session.forwards.iter().any(|one| one.local == *local) {
            call.warn(format!("Unable to listen on port {local}: Listeners failed to create with the following errors: [unable to create listener: Error listen tcp4 127.0.0.1:{local}: bind: address already in use unable to create listener: Error listen tcp6 [::1]:{local}: bind: address already in use]"));
            return plain(format!(
                "unable to listen on any of the requested ports: [{{{local} {remote}}}]"
            ));
        }
        let (namespace, name) = (pod.meta.namespace.clone(), pod.meta.name.clone());
        let (local, port) = (*local, *remote);
        let to = Beyond::Pod { namespace, name, port };
        let forwarded = Forwarded { local, to, connections: 0 };
        call.session.forwards.push(forwarded);
        call.say(format!("Forwarding from 127.0.0.1:{local} -> {remote}"));
        call.say(format!("Forwarding from [::1]:{local} -> {remote}"));
    }
    let locals = pairs.into_iter().map(|(local, _)| local).collect();
    Forward { pod: (pod.meta.uid, pod), locals }.go_on(call, Input::Time)
}

/// Ports that are open as long as the command runs.
#[derive(Debug)]
pub(crate) struct Forward {
    pod: (Uid, Arc<Object>),
    locals: Vec<u16>,
}

impl Forward {
    pub(crate) fn go_on(self, call: &mut Call<'_>, input: Input) -> Outcome {
        for local in &self.locals {
            let mut all = call.session.forwards.iter_mut();
            let forwarded = all.find(|one| one.local == *local);
            let count = forwarded.map_or(0, |it| core::mem::take(&mut it.connections));
            for _ in 0..count {
                call.say(format!("Handling connection for {local}"));
            }
        }
        let meta = &self.pod.1.meta;
        let found = call.world.find(Kind::Pod, &meta.namespace, &meta.name);
        let is_there = found.is_some_and(|pod| pod.meta.uid == self.pod.0);
        if is_there && input != Input::Interrupt {
            return call.wait_for(Wake::Always, Task::Forward(self));
        }
        call.session.forwards.retain(|one| !self.locals.contains(&one.local));
        match input {
            Input::Interrupt => Err(Failure::Silent(130)),
            _ => plain("lost connection to pod"),
        }
    }
}

/// `8080:80`, `80`, `:80`, `8080:http`: the port here, and the one in the pod.
fn pair(text: &str, service: Option<&Value>, pod: &Value) -> Result<(u16, u16), Failure> {
    let (local, remote) = text.split_once(':').unwrap_or((text, text));
    let number = |text: &str| -> Result<u16, Failure> {
        text.parse().map_err(|_| {
            Failure::Plain(format!(
                "error parsing local port '{text}': strconv.ParseUint: parsing {}: invalid syntax",
                crate::api::error::go_quote(text)
            ))
        })
    };
    let own = |name: &str| {
        let containers = pod.items_at(&["spec", "containers"]);
        let mut ports = containers.iter().flat_map(|it| it.items_at(&["ports"]));
        let found = ports.find(|port| port.str_at(&["name"]) == Some(name))?;
        found.int_at(&["containerPort"]).and_then(|port| u16::try_from(port).ok())
    };
    let Some(service) = service else {
        let remote = match remote.parse() {
            Ok(port) => port,
            Err(_) => own(remote).ok_or_else(|| {
                let name = pod.str_at(&["metadata", "name"]).unwrap_or_default();
                Failure::Plain(format!("Pod '{name}' does not have a named port '{remote}'"))
            })?,
        };
        let local = if local.parse::<u16>().is_ok() { number(local)? } else { remote };
        return Ok((local, remote));
    };
    let name = service.str_at(&["metadata", "name"]).unwrap_or_default();
    let wanted = remote.parse::<i64>().ok();
    let port = service.items_at(&["spec", "ports"]).iter().find(|port| match wanted {
        Some(number) => port.int_at(&["port"]) == Some(number),
        None => port.str_at(&["name"]) == Some(remote),
    });
    let Some(port) = port else {
        return plain(match wanted {
            Some(number) => format!("Service {name} does not have a service port {number}"),
            None => format!("Service '{name}' does not have a named port '{remote}'"),
        });
    };
    let target = match port.get("targetPort") {
        Some(Value::String(name)) => own(name),
        Some(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        None => port.int_at(&["port"]).and_then(|port| u16::try_from(port).ok()),
    };
    let target = target.ok_or_else(|| {
        let pod = pod.str_at(&["metadata", "name"]).unwrap_or_default();
        let named = port.str_at(&["targetPort"]).unwrap_or_default();
        Failure::Plain(format!("Pod '{pod}' does not have a named port '{named}'"))
    })?;
    let shown = port.int_at(&["port"]).and_then(|port| u16::try_from(port).ok());
    let local = match local.parse::<u16>() {
        Ok(local) => local,
        Err(_) => shown.unwrap_or(target),
    };
    Ok((local, target))
}
