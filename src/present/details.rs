//! All that the inspector says of one object.

use super::chronicle::{EventLine, events_about};
use super::{condition, facts};
use crate::api::{Kind, Object};
use crate::session::ObjectId;
use crate::text::Text;
use crate::world::World;

const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// One object, at length.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// The object.
    pub id: ObjectId,
    /// What its kind is for.
    pub about: Text,
    /// What there is to know at a glance.
    pub facts: Vec<Fact>,
    /// How it came here, first things first.
    pub why: Vec<Reason>,
    /// What can be done to it.
    pub actions: Vec<Action>,
    /// What happened to it, newest first.
    pub events: Vec<EventLine>,
    /// As `kubectl get -o yaml` shows it.
    pub yaml: String,
}

/// Something to know, with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The name, in Kubernetes' words.
    pub name: &'static str,
    /// The value.
    pub value: FactValue,
}

/// What a fact says.
#[derive(Clone, Debug, PartialEq)]
pub enum FactValue {
    /// Words.
    Words(String),
    /// An address, an image, a label.
    Code(String),
    /// Other objects.
    Links(Vec<ObjectId>),
}

/// A step on the way of an object to where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// What was done, with `{object}` and `{writer}` to be filled in.
    pub text: Text,
    /// Who did it.
    pub writer: String,
    /// The object that it was done for or to.
    pub object: Option<ObjectId>,
}

/// A button and the command it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its words.
    pub text: Text,
    /// The line of the console.
    pub line: String,
    /// Whether something is lost by it.
    pub is_harsh: bool,
}

/// The details of an object; `None` if it does not exist.
#[inline(never)]
pub fn details(world: &World, id: &ObjectId) -> Option<Details> {
    let object = world.find(id.kind, &id.namespace, &id.name)?;
    Some(Details {
        id: id.clone(),
        about: about(id.kind),
        facts: facts::facts(world, object),
        why: why(world, object),
        actions: actions(world, object),
        events: events_about(world, id),
        yaml: crate::manifest::to_yaml(&object.to_value()),
    })
}

const fn about(kind: Kind) -> Text {
    match kind {
        Kind::Pod => Text::ExplainPod,
        Kind::Node => Text::ExplainNode,
        Kind::Service => Text::ExplainService,
        Kind::Deployment => Text::ExplainDeployment,
        Kind::ReplicaSet => Text::ExplainReplicaSet,
        Kind::StatefulSet => Text::ExplainStatefulSet,
        Kind::DaemonSet => Text::ExplainDaemonSet,
        Kind::Job => Text::ExplainJob,
        Kind::Ingress => Text::ExplainIngress,
        Kind::EndpointSlice => Text::ExplainEndpointSlice,
        _ => Text::ExplainOther,
    }
}

/// The way of an object to where it is: from what a person asked for, through the controllers, to
/// the node that runs it.
fn why(world: &World, object: &Object) -> Vec<Reason> {
    let mut steps = Vec::new();
    let mut at = object.clone();
    // Nothing in Kubernetes is owned through more than three steps.
    for _ in 0..8 {
        let id = ObjectId::of(&at);
        let Some(owner) = at.meta.controller() else {
            let is_node = at.kind == Kind::Node;
            let text = if is_node { Text::WhyNode } else { Text::WhyPerson };
            steps.push(Reason { text, writer: String::new(), object: Some(id) });
            break;
        };
        let writer = controller_of(&owner.kind).to_owned();
        steps.push(Reason { text: Text::WhyController, writer, object: Some(id) });
        match world.store().by_uid(owner.uid) {
            Some(owner) => at = (**owner).clone(),
            None => break,
        }
    }
    steps.reverse();
    if let Some(pod) = object.pod() {
        let node = |name: &str| Some(ObjectId::new(Kind::Node, "", name));
        match &pod.node_name {
            Some(name) => {
                let is_daemon =
                    object.meta.controller().is_some_and(|owner| &*owner.kind == "DaemonSet");
                let text = if is_daemon { Text::WhyDaemon } else { Text::WhyScheduled };
                steps.push(Reason { text, writer: "kube-scheduler".into(), object: node(name) });
                if pod.status.start_time.is_some() {
                    let writer = format!("kubelet/{name}");
                    steps.push(Reason { text: Text::WhyKubelet, writer, object: node(name) });
                }
            }
            None => steps.push(Reason {
                text: Text::WhyWaiting,
                writer: "kube-scheduler".into(),
                object: None,
            }),
        }
    }
    steps
}

/// The controller that makes objects for an owner of this kind.
fn controller_of(kind: &str) -> &'static str {
    match kind {
        "Deployment" => "deployment-controller",
        "ReplicaSet" => "replicaset-controller",
        "StatefulSet" => "statefulset-controller",
        "DaemonSet" => "daemonset-controller",
        "Job" => "job-controller",
        "CronJob" => "cronjob-controller",
        "Service" => "endpointslice-controller",
        "Node" => "kubelet",
        _ => "kube-controller-manager",
    }
}

fn actions(world: &World, object: &Object) -> Vec<Action> {
    let name = &object.meta.name;
    let action = |text, line: String, is_harsh| Action { text, line, is_harsh };
    match object.kind {
        Kind::Node => {
            let is_up = world.nodes().get(name).is_none_or(|node| node.up);
            let power = if is_up {
                action(Text::NodeStop, format!("node stop {name}"), true)
            } else {
                action(Text::NodeStart, format!("node start {name}"), false)
            };
            let cordon = if condition::is_cordoned(object) {
                action(Text::NodeUncordon, format!("kubectl uncordon {name}"), false)
            } else {
                action(Text::NodeCordon, format!("kubectl cordon {name}"), false)
            };
            let drain = format!("kubectl drain {name} --ignore-daemonsets --delete-emptydir-data");
            let mut actions = vec![power, cordon, action(Text::NodeDrain, drain, true)];
            if object.meta.labels.get(CONTROL_PLANE).is_none() {
                actions.push(action(Text::NodeRemove, format!("node remove {name}"), true));
            }
            actions
        }
        Kind::Deployment | Kind::StatefulSet => {
            let words = ObjectId::of(object).words();
            let restart = format!("kubectl rollout restart {words}");
            vec![
                action(Text::WorkloadRestart, restart, false),
                action(Text::ObjectDelete, format!("kubectl delete {words}"), true),
            ]
        }
        kind => {
            let words = ObjectId::of(object).words();
            let text = if kind == Kind::Pod { Text::PodKill } else { Text::ObjectDelete };
            vec![action(text, format!("kubectl delete {words}"), true)]
        }
    }
}
