//! What is told of requests that a lesson sends.

use super::story::{Story, story};
use crate::session::{Model, Msg, Opening, Sample, update};
use crate::text::{Lang, Text};
use core::time::Duration;

fn model(sample: Sample) -> Model {
    let mut model = Model::new(Opening { sample, lang: Lang::En, ..Opening::default() });
    model.world.run_for(Duration::from_secs(30));
    model
}

fn run(model: &mut Model, line: &str) -> Story {
    update(model, Msg::Run(line.into()));
    model.journey.as_ref().map(|journey| story(&journey.trace, Lang::En)).unwrap()
}

#[test]
fn every_rule_on_the_way_of_a_request_has_a_sentence_of_its_own() {
    let mut model = model(Sample::Web);
    for mode in ["iptables", "ipvs", "nftables"] {
        update(&mut model, Msg::Run(format!("proxy mode {mode}")));
        for url in ["http://172.18.0.3:30080", "http://shop.example", "http://203.0.113.11"] {
            let told = run(&mut model, &format!("curl {url}"));
            assert!(told.is_answered, "{mode} {url}: {}", told.cause);
            for hop in told.hops.iter().filter(|hop| !hop.rule.is_empty()) {
                let empty = [Text::HopRule, Text::RuleLeads].map(|text| Lang::En.t(text));
                let is_empty = empty.iter().any(|text| {
                    hop.sentence.starts_with(text.split('{').next().unwrap_or_default())
                });
                assert!(!is_empty, "{mode}: {} {}", hop.rule, hop.sentence);
            }
        }
    }
}

#[test]
fn a_chapter_tells_what_changed_and_what_chance_did() {
    let mut model = model(Sample::Web);
    let told = run(&mut model, "curl http://172.18.0.3:30080");
    let rules = told.chapters.iter().find(|chapter| chapter.scene == "rules").unwrap();
    let changed: Vec<&str> = rules.changes.iter().map(|(what, ..)| *what).collect();
    assert_eq!(changed, ["src", "dst"], "masquerade and DNAT, and the mark is off again");
    let lots = rules.lots.first().unwrap();
    assert_eq!((lots.among, rules.lots.len()), (3, 1));
    let drawn = lots.chances.get(lots.drawn).unwrap();
    assert_eq!(drawn.leads_to, rules.changes[1].2, "the draw leads to where the packet goes");
    let asked = lots.chances.iter().filter(|chance| chance.lot.is_some()).count();
    assert_eq!(asked, (lots.drawn + 1).min(2), "the last rule draws nothing");
    assert!(told.chapters.iter().all(|chapter| !chapter.sentence.is_empty()));
}

#[test]
fn a_connection_is_noted_as_conntrack_prints_it_and_not_as_a_change() {
    let mut model = model(Sample::Web);
    let told = run(&mut model, "curl http://172.18.0.3:30080");
    let noted = told.hops.iter().find(|hop| hop.sentence.contains("conntrack")).unwrap();
    assert!(noted.changes.is_empty());
    let card = noted.card.as_ref().unwrap();
    assert!(card.entry.starts_with("tcp      6 119 SYN_SENT src=198.51.100.7 "), "{}", card.entry);
    assert!(card.entry.contains("[UNREPLIED] src=10.244."), "{}", card.entry);
    let reply = told
        .hops
        .iter()
        .filter(|hop| hop.is_reply)
        .find_map(|hop| hop.card.as_ref().filter(|card| !card.entry.is_empty()));
    let entry = &reply.unwrap().entry;
    assert!(entry.contains(" ESTABLISHED ") && entry.contains("[ASSURED]"), "{entry}");
}

#[test]
fn a_packet_loses_a_hop_of_its_life_on_each_node() {
    let mut model = model(Sample::Web);
    update(&mut model, Msg::Run("kubectl scale deployment web --replicas=0".into()));
    model.world.run_for(Duration::from_secs(60));
    update(&mut model, Msg::Run("kubectl cordon node-1".into()));
    update(&mut model, Msg::Run("kubectl scale deployment web --replicas=1".into()));
    model.world.run_for(Duration::from_secs(20));
    let told = run(&mut model, "curl http://172.18.0.3:30080");
    let ttl = |hop: &super::story::StoryHop| {
        let fields = hop.card.as_ref().map(|card| card.fields.clone()).unwrap_or_default();
        fields.into_iter().find(|field| field.name == "ttl").map(|field| field.now)
    };
    let in_pod = told.hops.iter().rfind(|hop| !hop.is_reply && hop.card.is_some()).unwrap();
    assert_eq!(ttl(in_pod).as_deref(), Some("62"), "node-1 and the Pod's node");
    let back = told.hops.iter().rfind(|hop| hop.is_reply && hop.card.is_some()).unwrap();
    assert_eq!(ttl(back).as_deref(), Some("62"));
}

#[test]
fn a_failure_ends_where_the_packet_died_and_says_why_and_what_mends_it() {
    let mut model = model(Sample::Silent);
    let port = |name: &str| {
        let mut services = model.world.store().list(crate::api::Kind::Service);
        let own = services.find(|it| &*it.meta.name == name).unwrap();
        own.spec()["ports"][0]["nodePort"].as_u64().unwrap()
    };
    let (label, target) = (port("wrong-label"), port("wrong-port"));
    let told = run(&mut model, &format!("curl http://172.18.0.3:{label}"));
    let end = told.hops.iter().find(|hop| hop.is_end).unwrap();
    assert!(end.rule.contains("-j REJECT"), "{}", end.rule);
    assert!(end.sentence.starts_with("REJECT") && end.cause.contains("app=api"), "{end:?}");
    // The refusal is drawn on its way back, and that it came is what the client says.
    let back = told.hops.iter().find(|hop| hop.is_reply).unwrap();
    assert!(back.sentence.contains("icmp-port-unreachable") && !back.is_end, "{back:?}");
    let chapter = told.chapters.get(back.chapter).unwrap();
    assert_eq!((chapter.scene, &chapter.sentence), ("back", &back.sentence));
    let last = told.hops.last().unwrap();
    assert!(last.is_reply && last.sentence.contains("Connection refused"), "{last:?}");
    assert_eq!(last.spot, super::story::Spot::Client);
    let told = run(&mut model, &format!("curl http://172.18.0.3:{target}"));
    let end = told.hops.iter().find(|hop| hop.is_end).unwrap();
    assert!(matches!(end.spot, super::story::Spot::Pod(_)) && end.sentence.contains("RST"));
    // The remedy, carried out, has the request answered.
    let remedy = model.journey.as_ref().and_then(|journey| journey.remedy.clone()).unwrap();
    assert!(remedy.starts_with("kubectl patch service wrong-port"), "{remedy}");
    update(&mut model, Msg::Trace(crate::session::TraceMsg::Try));
    for _ in 0..20 {
        update(&mut model, Msg::Tick(200_000));
    }
    let journey = model.journey.as_ref().unwrap();
    let told = story(&journey.trace, Lang::En);
    assert!(told.is_answered && journey.remedy.is_none(), "{}", told.cause);
}

#[test]
fn without_name_servers_the_question_dies_and_the_remedy_brings_them_back() {
    let mut model = model(Sample::Web);
    update(&mut model, Msg::Run("kubectl run box --image=busybox -- sleep infinity".into()));
    let scale = "kubectl scale deployment coredns -n kube-system --replicas=0";
    update(&mut model, Msg::Run(scale.into()));
    model.world.run_for(Duration::from_secs(60));
    let told = run(&mut model, "trace --from pod/box curl http://web");
    let end = told.hops.iter().find(|hop| hop.is_end).unwrap();
    assert!(end.rule.contains("-j REJECT"), "{}", end.rule);
    let cause = "The question to the name server 10.96.0.10 is refused, so no name has an address. kube-dns has no endpoints:";
    assert!(told.cause.starts_with(cause), "{}", told.cause);
    let remedy = model.journey.as_ref().and_then(|journey| journey.remedy.clone()).unwrap();
    assert_eq!(*remedy, *scale.replace("=0", "=2"));
}

#[test]
fn what_leaves_a_pod_comes_by_no_door() {
    let mut model = model(Sample::Web);
    let told = run(&mut model, "curl http://shop.example");
    let after_controller = told.chapters.iter().skip_while(|chapter| chapter.scene != "pod").nth(1);
    let door = after_controller.unwrap();
    let first = &told.hops[door.hops.start];
    assert!(matches!(first.spot, super::story::Spot::Filter(_)), "{first:?}");
    assert!(door.title.starts_with("From the Pod"), "{}", door.title);
    assert!(told.cause.contains("X-Forwarded-For: 198.51.100.7"), "{}", told.cause);
    assert!(told.cause.contains("come from 10.244."), "the controller's address: {}", told.cause);
}
