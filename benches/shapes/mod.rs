//! The clusters that the benchmarks measure, the same natively and in a browser.

use core::time::Duration;
use diorama::api::{Body, Details, Kind, Object, ObjectMeta, OwnerReference, Pod, Uid};
use diorama::base::{Rng, SimTime};
use diorama::scheduler::Scheduler;
use diorama::store::{Cause, Context, Manager, Plan, Store, Write};
use diorama::trace::{Request, Source};
use diorama::world::{CLIENT_ADDRESS, ClusterConfig, World};
use serde_json::{Value, json};
use std::sync::Arc;

const SERVICES: u32 = 10_000;
/// The Services that have a node port too: as many as the range's benchmark needs.
const NODE_PORTS: u32 = 2_000;
const PODS: u32 = 300;

/// A Deployment of `replicas` pods; `requests` are those of its one container.
fn deployment(name: &str, replicas: u32, requests: &Value) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{
                    "name": "c", "image": "nginx:1.27", "resources": {"requests": requests},
                }]},
            },
        },
    })
}

/// How far a cluster at Kubernetes' limits has come.
pub(crate) struct Limits {
    /// The cluster.
    pub(crate) world: World,
    /// Pods that its Deployments ask for.
    pub(crate) wanted: usize,
}

impl Limits {
    /// `nodes` nodes that are up and have nothing to do.
    pub(crate) fn new(nodes: u32) -> Limits {
        let world = World::new(ClusterConfig::of_size(nodes, "32", "128Gi", "110"), 1);
        Limits { world, wanted: 0 }
    }

    /// Creates `deployments` Deployments of `replicas` pods each; no time passes.
    pub(crate) fn deploy(&mut self, deployments: u32, replicas: u32) {
        let requests = json!({"cpu": "100m", "memory": "64Mi"});
        for number in 0..deployments {
            let object = deployment(&format!("app-{number}"), replicas, &requests);
            self.world.create(Kind::Deployment, &object, "default").expect("a valid Deployment");
        }
        self.wanted += (deployments * replicas) as usize;
    }

    /// Lets a second pass.
    pub(crate) fn second(&mut self) {
        self.world.run_for(Duration::from_secs(1));
    }

    /// Pods that have a node.
    pub(crate) fn bound(&self) -> usize {
        let pods = self.world.store().list(Kind::Pod);
        pods.filter(|pod| pod.pod().is_some_and(|pod| pod.node_name.is_some())).count()
    }

    /// Pods that are Ready.
    pub(crate) fn ready(&self) -> usize {
        let pods = self.world.store().list(Kind::Pod);
        pods.filter(|pod| pod.pod().is_some_and(|pod| pod.status.is_ready())).count()
    }
}

/// The scheduler alone, with all of its cache and its queue: nodes that are empty, and pods without
/// a node.
pub(crate) struct Scheduling {
    scheduler: Scheduler,
    store: Store,
    rng: Rng,
}

impl Scheduling {
    /// `nodes` nodes, and `replicas` pods of each of `sets` ReplicaSets: each is spread over nodes
    /// and zones. Or as many pods of nobody (`owned` is false), which are not.
    pub(crate) fn new(nodes: u32, sets: u32, replicas: u32, owned: bool) -> Scheduling {
        let cluster = Limits::new(nodes);
        let mut store = Store::new(Rng::new(1));
        for node in cluster.world.store().list(Kind::Node) {
            store.restore((**node).clone());
        }
        for number in 0..sets {
            let name = format!("app-{number}");
            let requests = json!({"cpu": "100m", "memory": "64Mi"});
            let mut set =
                Object::from_value(Kind::ReplicaSet, deployment(&name, replicas, &requests));
            set.meta.namespace = "default".into();
            set.meta.uid = Uid(u128::from(number) + 1);
            let template = set.pod_template().expect("a template").clone();
            let owner = OwnerReference {
                api_version: "apps/v1".into(),
                kind: "ReplicaSet".into(),
                name: set.meta.name.clone(),
                uid: set.meta.uid,
                controller: true,
                block_owner_deletion: true,
            };
            let owners: Arc<[OwnerReference]> = if owned { [owner].into() } else { [].into() };
            let namespace = set.meta.namespace.clone();
            store.restore(set);
            for replica in 0..replicas {
                let meta = ObjectMeta {
                    name: format!("{name}-{replica}").into(),
                    namespace: namespace.clone(),
                    labels: template.labels.clone(),
                    details: Details { owner_references: owners.clone(), ..Details::default() }
                        .into(),
                    ..ObjectMeta::default()
                };
                let body = Body::Pod(Pod::new(template.spec.clone()));
                store.restore(Object { kind: Kind::Pod, meta, body });
            }
        }
        let mut scheduler = Scheduler::new();
        for change in store.take_changes() {
            scheduler.observe(&store, &change, SimTime::WORLD_START);
        }
        Scheduling { scheduler, store, rng: Rng::new(1) }
    }

    /// Finds a node for every pod. Calls `decide` around each turn of the scheduler, and writes what
    /// it decided between them. Says how many pods got a node.
    pub(crate) fn run(&mut self, mut decide: impl FnMut(&mut dyn FnMut())) -> usize {
        let now = SimTime::WORLD_START;
        let cause = Cause { writer: "default-scheduler".into(), working_on: None };
        let manager = Manager::Component;
        let context = Context { now, cause, validate: false, webhooks: &[], manager };
        let mut bound = 0;
        loop {
            let mut plan = Plan::default();
            decide(&mut || plan = self.scheduler.cycle(&self.store, now, &mut self.rng));
            if plan.writes.is_empty() {
                return bound;
            }
            for write in plan.writes {
                if let Write::Bind { pod, node } = write {
                    self.store.bind(&context, &pod, &node).expect("a pod without a node");
                    bound += 1;
                }
            }
            for change in self.store.take_changes() {
                self.scheduler.observe(&self.store, &change, now);
            }
        }
    }
}

/// Three workers, 300 pods, and 10,000 Services with three endpoints each; a fifth have a node port.
pub(crate) fn many_services() -> World {
    let mut world = World::new(ClusterConfig::default(), 1);
    let web = deployment("web", PODS, &json!({}));
    world.create(Kind::Deployment, &web, "default").expect("a valid Deployment");
    world.run_for(Duration::from_secs(120));
    let pods = world.store().list(Kind::Pod);
    let ips: Vec<String> =
        pods.filter_map(|pod| pod.pod()?.status.pod_ip.map(|ip| ip.to_string())).collect();
    for number in 0..SERVICES {
        let name = format!("s{number}");
        let mut port = json!({"name": "http", "port": 80, "targetPort": 80});
        if number < NODE_PORTS {
            port["nodePort"] = (30_000 + number).into();
        }
        let service = json!({
            "metadata": {"name": name},
            "spec": {
                "type": if number < NODE_PORTS { "NodePort" } else { "ClusterIP" },
                "clusterIP": format!("10.96.{}.{}", 64 + number / 250, 1 + number % 250),
                "ports": [port],
            },
        });
        world.create(Kind::Service, &service, "default").expect("a valid Service");
        let three = ips.iter().cycle().skip((number * 7 % PODS) as usize).take(3);
        let slice = json!({
            "metadata": {
                "name": format!("{name}-x"),
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "endpoints": three
                .map(|ip| json!({"addresses": [ip], "conditions": {"ready": true}}))
                .collect::<Vec<_>>(),
            "ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
        });
        world.create(Kind::EndpointSlice, &slice, "default").expect("a valid EndpointSlice");
    }
    world
}

/// `count` requests to [`many_services`]: of pods to Services by name, and one in ten of a client
/// outside to a node port.
pub(crate) fn requests(world: &World, count: u32) -> Vec<Request> {
    let pods: Vec<_> = world.store().list(Kind::Pod).map(|pod| pod.meta.name.clone()).collect();
    let mut rng = Rng::new(1);
    (0..count)
        .map(|number| {
            if number % 10 == 0 {
                let (node, port) = (2 + rng.below(4), 30_000 + rng.below(NODE_PORTS));
                let from = Source::Internet { ip: CLIENT_ADDRESS };
                let url = format!("http://172.18.0.{node}:{port}/");
                return Request::from_url(from, &url).expect("a URL");
            }
            let pod = &pods[rng.below(PODS) as usize];
            let from = Source::Pod { namespace: "default".into(), name: pod.clone() };
            let url = format!("http://s{}/", rng.below(SERVICES));
            Request::from_url(from, &url).expect("a URL")
        })
        .collect()
}

/// A Deployment as a chart writes it, in 25 lines of YAML; `number` makes its name.
pub(crate) fn deployment_of_25_lines(number: u32) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{number}
  labels: {{app: app-{number}}}
spec:
  replicas: 3
  selector:
    matchLabels: {{app: app-{number}}}
  template:
    metadata:
      labels: {{app: app-{number}}}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        ports:
        - containerPort: 80
        resources:
          requests: {{cpu: 50m, memory: 64Mi}}
          limits: {{memory: 128Mi}}
        readinessProbe:
          httpGet: {{path: /, port: 80}}
          periodSeconds: 5
---
"
    )
}
