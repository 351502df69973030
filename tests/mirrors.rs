//! Endpoints that a person writes, mirrored to EndpointSlices: how a Service is pointed outside.
//!
//! Models pkg/controller/endpointslicemirroring: reconciler.go, utils.go.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

const OUTSIDE: &str = "kubectl apply -f - <<'EOF'
{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {ports: [{port: 5432, targetPort: 5432}]}}
---
apiVersion: v1
kind: Endpoints
metadata: {name: db, labels: {who: me}, annotations: {note: kept}}
subsets:
- addresses: [{ip: 192.0.2.20}, {ip: 192.0.2.10, hostname: a}]
  notReadyAddresses: [{ip: 192.0.2.30}]
  ports: [{port: 5432}]
EOF";

const SLICES: &str = "kubectl get endpointslices -l kubernetes.io/service-name=db -o";

fn room() -> Room {
    let mut room = Room::new();
    room.done(OUTSIDE);
    room.done("sleep 2");
    room
}

#[test]
fn endpoints_by_hand_get_a_slice_and_kube_proxy_serves_it() {
    let mut room = room();
    let name = room.done(&format!("{SLICES} name"));
    let random = name.strip_prefix("endpointslice.discovery.k8s.io/db-").map(str::len);
    assert_eq!(random, Some(5), "{name}");
    let shown = room.done(&format!(
        "{SLICES} jsonpath='{{range .items[*]}}{{.endpoints}}{{.ports}}{{.metadata.labels}}{{.metadata.annotations}}{{.metadata.ownerReferences[0].kind}}{{end}}'"
    ));
    assert_eq!(
        shown,
        "[{\"addresses\":[\"192.0.2.10\"],\"conditions\":{\"ready\":true},\"hostname\":\"a\"},{\"addresses\":[\"192.0.2.20\"],\"conditions\":{\"ready\":true}},{\"addresses\":[\"192.0.2.30\"],\"conditions\":{\"ready\":false}}][{\"name\":\"\",\"port\":5432,\"protocol\":\"TCP\"}]{\"endpointslice.kubernetes.io/managed-by\":\"endpointslicemirroring-controller.k8s.io\",\"kubernetes.io/service-name\":\"db\",\"who\":\"me\"}{\"note\":\"kept\"}Endpoints"
    );
    let rules = room.done("node run node-1 -- iptables-save -t nat");
    assert!(rules.contains("--to-destination 192.0.2.10:5432"), "{rules}");
    assert!(!rules.contains("192.0.2.30"), "{rules}");
}

#[test]
fn a_mirror_follows_its_endpoints_and_ends_where_a_selector_begins() {
    let mut room = room();
    let before = room.done(&format!("{SLICES} name"));
    let patch = "kubectl patch endpoints db --type=json -p";
    room.done(&format!("{patch} '[{{\"op\":\"remove\",\"path\":\"/subsets/0/addresses/0\"}}]'"));
    room.done("sleep 2");
    let addresses = format!("{SLICES} jsonpath='{{.items[*].endpoints[*].addresses[0]}}'");
    assert_eq!(room.done(&addresses), "192.0.2.10 192.0.2.30");
    assert_eq!(room.done(&format!("{SLICES} name")), before);
    room.done("kubectl patch service db -p '{\"spec\":{\"selector\":{\"app\":\"db\"}}}'");
    room.done("sleep 2");
    assert!(!room.done(&format!("{SLICES} name")).contains(&before));
}

#[test]
fn a_label_keeps_endpoints_from_being_mirrored() {
    let mut room = room();
    room.done("kubectl label endpoints db endpointslice.kubernetes.io/skip-mirror=true");
    room.done("sleep 2");
    assert_eq!(room.done(&format!("{SLICES} name")), "");
}
