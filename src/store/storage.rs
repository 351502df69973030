//! Plain storage: tables by kind, indexes, revisions and the change log.

use super::admission::AdmittedSpecs;
use super::events::Recorders;
use super::index::Indexes;
use super::write::{Cause, Key, Note};
use crate::api::{Kind, Object, Selector, StringMap, Uid};
use crate::base::{Map, Rng, SimTime, order};
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::ops::Bound;
use imbl::ordmap::DiffItem;
use std::sync::Arc;

/// Namespace and name; objects of a kind are kept in this order, which is kubectl's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectKey {
    /// Namespace; empty for kinds without.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

impl ObjectKey {
    /// A key of two texts.
    pub fn new(namespace: &str, name: &str) -> Self {
        ObjectKey { namespace: Arc::from(namespace), name: Arc::from(name) }
    }

    /// The key of an object.
    pub fn of(object: &Object) -> Self {
        ObjectKey { namespace: object.meta.namespace.clone(), name: object.meta.name.clone() }
    }
}

impl PartialOrd for ObjectKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ObjectKey {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.names(), other.names())
    }
}

/// The order of two namespaces with names in them.
fn compare(one: (&str, &str), other: (&str, &str)) -> Ordering {
    // Most keys that meet share their namespace in memory.
    let namespaces = match core::ptr::eq(one.0, other.0) {
        true => Ordering::Equal,
        false => one.0.cmp(other.0),
    };
    namespaces.then_with(|| one.1.cmp(other.1))
}

/// What has a namespace and a name: a key, or two texts that nobody needs to make one of.
trait Named {
    fn names(&self) -> (&str, &str);
}

impl Named for ObjectKey {
    fn names(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }
}

impl Named for (&str, &str) {
    fn names(&self) -> (&str, &str) {
        *self
    }
}

impl<'a> Borrow<dyn Named + 'a> for ObjectKey {
    fn borrow(&self) -> &(dyn Named + 'a) {
        self
    }
}

impl PartialEq for dyn Named + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.names() == other.names()
    }
}

impl Eq for dyn Named + '_ {}

impl PartialOrd for dyn Named + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Named + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.names(), other.names())
    }
}

/// An object as it was, if it was there, and as it is, if it is.
pub type Difference = (Option<Arc<Object>>, Option<Arc<Object>>);

/// One change of one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// Kind of the object.
    pub kind: Kind,
    /// Its key.
    pub key: ObjectKey,
    /// As it was; `None` if it was created.
    pub old: Option<Arc<Object>>,
    /// As it is; `None` if it is gone.
    pub new: Option<Arc<Object>>,
    /// The revision of the change.
    pub revision: u64,
    /// Who wrote it.
    pub cause: Cause,
}

impl Change {
    /// The object as it is, or as it was if it is gone.
    pub fn object(&self) -> Option<&Arc<Object>> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// The objects of a kind.
type Table = Map<ObjectKey, Arc<Object>>;

/// A table for each kind. Nothing is asked for more often, so those of the kinds that something acts on
/// are found by number; a copy shares them.
#[derive(Clone, Debug, Default)]
struct Tables {
    known: Arc<Vec<Table>>,
    others: Map<Kind, Table>,
}

impl Tables {
    fn get(&self, kind: Kind) -> Option<&Table> {
        match kind.number() {
            Some(number) => self.known.get(number),
            None => self.others.get(&kind),
        }
    }

    fn of(&mut self, kind: Kind) -> &mut Table {
        let Some(number) = kind.number() else { return self.others.entry(kind).or_default() };
        let known = Arc::make_mut(&mut self.known);
        if known.len() <= number {
            known.resize_with(number + 1, Table::new);
        }
        match known.get_mut(number) {
            Some(table) => table,
            None => self.others.entry(kind).or_default(),
        }
    }
}

/// All objects of a cluster.
#[derive(Clone, Debug)]
pub struct Store {
    tables: Tables,
    indexes: Indexes,
    revision: u64,
    changes: Vec<Change>,
    rng: Rng,
    admitted: AdmittedSpecs,
    notes: Map<(&'static str, Key), Note>,
    pub(super) recorders: Recorders,
    warnings: Vec<String>,
    silent: Map<Arc<str>, SimTime>,
}

impl Store {
    /// An empty store; `rng` gives UIDs, generated names and allocated addresses.
    pub fn new(rng: Rng) -> Self {
        Store {
            tables: Tables::default(),
            indexes: Indexes::default(),
            revision: 0,
            changes: Vec::new(),
            rng,
            admitted: AdmittedSpecs::default(),
            notes: Map::new(),
            recorders: Recorders::default(),
            warnings: Vec::new(),
            silent: Map::new(),
        }
    }

    /// The revision of the last change.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The source of UIDs, generated names and allocated addresses.
    pub(super) const fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// The cache of admission.
    pub(super) const fn admitted(&mut self) -> &mut AdmittedSpecs {
        &mut self.admitted
    }

    /// What is indexed.
    pub(super) const fn indexes(&self) -> &Indexes {
        &self.indexes
    }

    /// The objects of a kind from this namespace and name on, in their order.
    pub fn range_from<'a>(
        &'a self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let start: &dyn Named = &(namespace, name);
        let from = (Bound::Included(start), Bound::Unbounded);
        let range = self.tables.get(kind).map(|table| table.range::<_, dyn Named>(from));
        range.into_iter().flatten().map(|(_, object)| object)
    }

    /// The object of a key.
    pub fn get(&self, kind: Kind, key: &ObjectKey) -> Option<&Arc<Object>> {
        self.tables.get(kind)?.get(key)
    }

    /// The object of a name; the namespace is empty for kinds without.
    pub fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        let key: &dyn Named = &(namespace, name);
        self.tables.get(kind)?.get(key)
    }

    /// All objects of a kind as they are now: to be compared with what they will be.
    pub fn table(&self, kind: Kind) -> Map<ObjectKey, Arc<Object>> {
        self.tables.get(kind).cloned().unwrap_or_default()
    }

    /// The objects of a kind that are new, other or gone since they were `seen`, by revision; what
    /// is gone as it was last.
    pub fn changed_since(
        &self,
        kind: Kind,
        seen: &Map<ObjectKey, Arc<Object>>,
    ) -> Vec<Arc<Object>> {
        let changed = self.differences(kind, seen).into_iter();
        let mut changed: Vec<Arc<Object>> = changed.filter_map(|(old, new)| new.or(old)).collect();
        order::sort_by_key(&mut changed, |object| object.meta.resource_version);
        changed
    }

    /// What is different about the objects of a kind since they were `seen`, by their names: each
    /// as it was, and as it is. Looks only at what has changed.
    pub fn differences(&self, kind: Kind, seen: &Map<ObjectKey, Arc<Object>>) -> Vec<Difference> {
        let now = self.table(kind);
        let of = |item: DiffItem<'_, '_, ObjectKey, Arc<Object>>| match item {
            DiffItem::Add(_, new) => (None, Some(new.clone())),
            DiffItem::Update { old: (_, old), new: (_, new) } => {
                (Some(old.clone()), Some(new.clone()))
            }
            DiffItem::Remove(_, old) => (Some(old.clone()), None),
        };
        seen.diff(&now).map(of).collect()
    }

    /// All objects of a kind, by namespace and name.
    pub fn list(&self, kind: Kind) -> impl Iterator<Item = &Arc<Object>> {
        self.tables.get(kind).into_iter().flat_map(|table| table.values())
    }

    /// The objects of a kind in one namespace, by name.
    pub fn list_in<'a>(
        &'a self,
        kind: Kind,
        namespace: &str,
    ) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let all = self.range_from(kind, namespace, "");
        let namespace = namespace.to_owned();
        all.take_while(move |object| *object.meta.namespace == *namespace)
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.tables.get(kind).map_or(0, |table| table.len())
    }

    /// The object of a UID. Events are not found this way.
    pub fn by_uid(&self, uid: Uid) -> Option<&Arc<Object>> {
        let (kind, key) = self.indexes.by_uid.get(&uid)?;
        self.get(*kind, key)
    }

    /// The objects that name `owner` among their owners.
    pub fn owned_by(&self, owner: Uid) -> impl Iterator<Item = &Arc<Object>> + use<'_> {
        self.indexes.by_owner.get(&owner).into_iter().flat_map(|owned| owned.values())
    }

    /// The pods bound to a node.
    pub fn pods_on<'a>(&'a self, node: &str) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let keys = self.indexes.pods_by_node.get(node);
        keys.into_iter().flat_map(|keys| keys.iter()).filter_map(|key| self.get(Kind::Pod, key))
    }

    /// The pods of a namespace that a selector selects. Uses the label index where the selector
    /// asks for a value, and looks at every pod of the namespace where it does not.
    pub fn pods_matching<'a>(
        &'a self,
        namespace: &'a str,
        selector: &'a Selector,
    ) -> Box<dyn Iterator<Item = &'a Arc<Object>> + 'a> {
        let indexed = selector
            .required_pair()
            .and_then(|(key, value)| self.indexes.pods_with_label(namespace, key, value));
        let candidates: Box<dyn Iterator<Item = &'a Arc<Object>> + 'a> = match indexed {
            Some(keys) => Box::new(keys.filter_map(|key| self.get(Kind::Pod, key))),
            None => Box::new(self.list_in(Kind::Pod, namespace)),
        };
        Box::new(candidates.filter(move |pod| selector.matches(&pod.meta.labels)))
    }

    /// The pods, or the ReplicaSets, of a namespace that no controller manages.
    pub fn orphans<'a>(
        &'a self,
        kind: Kind,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        self.indexes.orphans(kind, namespace).filter_map(move |key| self.get(kind, key))
    }

    /// The Services of a namespace whose selector selects an object with these labels.
    pub fn services_selecting<'a>(
        &'a self,
        namespace: &'a str,
        labels: &'a StringMap,
    ) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let keys = self.indexes.services_for(namespace, labels);
        keys.filter_map(|key| self.get(Kind::Service, key)).filter(move |service| {
            Selector::from_map(service.spec().get("selector")).matches(labels)
        })
    }

    /// What a control loop has noted about a key.
    pub fn note(&self, writer: &'static str, key: &Key) -> Option<Note> {
        self.notes.get(&(writer, key.clone())).copied()
    }

    /// Keeps a control loop's note about a key, or forgets it. It is no object: no revision, no
    /// change.
    pub fn set_note(&mut self, writer: &'static str, key: Key, note: Option<Note>) {
        match note {
            Some(note) => drop(self.notes.insert((writer, key), note)),
            None => drop(self.notes.remove(&(writer, key))),
        }
    }

    /// Notes what the server has to say beside its answer.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// Takes what the server has said beside its answers since this was last called.
    pub fn take_warnings(&mut self) -> Vec<String> {
        core::mem::take(&mut self.warnings)
    }

    /// Since when a machine is silent, if it is: cut off, or without power. It is no object: who looks
    /// here is somebody who would notice by the network, before the API server knows.
    pub fn silent_since(&self, node: &str) -> Option<SimTime> {
        self.silent.get(node).copied()
    }

    /// The machines that are silent, and since when.
    pub const fn silent(&self) -> &Map<Arc<str>, SimTime> {
        &self.silent
    }

    /// Notes that a machine has fallen silent, or that it speaks again.
    pub fn set_silent(&mut self, node: &Arc<str>, since: Option<SimTime>) {
        match since {
            Some(since) => drop(self.silent.insert(node.clone(), since)),
            None => drop(self.silent.remove(node)),
        }
    }

    /// Takes the changes since this was last called.
    pub fn take_changes(&mut self) -> Vec<Change> {
        core::mem::take(&mut self.changes)
    }

    /// Puts an object in place as it is, status and identity included: for states that were
    /// recorded elsewhere. Nothing is checked.
    pub fn restore(&mut self, mut object: Object) {
        if object.meta.uid == Uid::default() {
            object.meta.uid = Uid(self.rng.uuid());
        }
        let cause = Cause { writer: "restore".into(), working_on: None };
        self.put(object, &cause);
    }

    /// Puts an object in place with the next revision, and logs it.
    pub(super) fn put(&mut self, mut object: Object, cause: &Cause) -> Arc<Object> {
        self.revision += 1;
        object.meta.resource_version = self.revision;
        let (kind, key) = (object.kind, ObjectKey::of(&object));
        if kind == Kind::CustomResourceDefinition {
            // From here on its objects can be named.
            super::custom::kind_of(&object);
        }
        let object = Arc::new(object);
        let old = self.tables.of(kind).insert(key.clone(), object.clone());
        self.indexes.replace(old.as_ref(), Some(&object), &key);
        self.forget_admitted(kind);
        let (new, revision) = (Some(object.clone()), self.revision);
        self.changes.push(Change { kind, key, old, new, revision, cause: cause.clone() });
        object
    }

    /// Takes an object away with the next revision, and logs it.
    pub(super) fn take(
        &mut self,
        kind: Kind,
        key: &ObjectKey,
        cause: &Cause,
    ) -> Option<Arc<Object>> {
        let old = self.tables.of(kind).remove(key)?;
        self.revision += 1;
        self.indexes.replace(Some(&old), None, key);
        self.forget_admitted(kind);
        let (key, revision, cause) = (key.clone(), self.revision, cause.clone());
        self.changes.push(Change { kind, key, old: Some(old.clone()), new: None, revision, cause });
        Some(old)
    }

    /// What was admitted under other rules must pass again.
    fn forget_admitted(&mut self, kind: Kind) {
        if matches!(kind, Kind::LimitRange | Kind::PriorityClass | Kind::ServiceAccount)
            || kind.name() == "RuntimeClass"
        {
            self.admitted.clear();
        }
    }
}
