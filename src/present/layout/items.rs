//! Everything on the map that has a name, and where it is.

use super::Layout;
use crate::present::geometry::Rect;
use crate::present::scene::ClusterScene;
use crate::session::ObjectId;

/// Something on the map that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item<'a> {
    /// An object.
    Object(&'a ObjectId),
    /// The load balancer of a Service.
    Balancer(&'a ObjectId),
    /// A group of Pods that wait, by its place.
    Waiting(usize),
    /// What a namespace has more than the map shows, by its place.
    More(usize),
}

impl<'a> Item<'a> {
    /// A text that is unique among all items, for keys.
    pub fn key(self) -> String {
        match self {
            Item::Object(id) => id.key(),
            Item::Balancer(id) => format!("lb/{}", id.key()),
            Item::Waiting(at) => format!("waiting/{at}"),
            Item::More(at) => format!("more/{at}"),
        }
    }

    /// The object that is chosen by it; none for what stands for many.
    pub const fn object(self) -> Option<&'a ObjectId> {
        match self {
            Item::Object(id) | Item::Balancer(id) => Some(id),
            Item::Waiting(_) | Item::More(_) => None,
        }
    }
}

impl Layout {
    /// Everything on the map that has a name, with its place, from the top down.
    pub fn items<'a>(
        &'a self,
        scene: &'a ClusterScene,
    ) -> impl Iterator<Item = (Item<'a>, Rect)> + 'a {
        let balancers = self
            .balancers
            .iter()
            .filter_map(|(at, rect)| Some((Item::Balancer(&scene.services.get(*at)?.id), *rect)));
        let object = |(id, rect): (&'a ObjectId, &Rect)| (Item::Object(id), *rect);
        let services = scene.services.iter().map(|one| &one.id).zip(&self.services).map(object);
        let ingresses = scene.ingresses.iter().map(|one| &one.id).zip(&self.ingresses).map(object);
        let nodes = scene.nodes.iter().zip(&self.nodes).flat_map(move |(node, place)| {
            let pods = node.pods.iter().map(|pod| &pod.id).zip(&place.pods).map(object);
            core::iter::once((Item::Object(&node.id), place.rect)).chain(pods)
        });
        balancers
            .chain(ingresses)
            .chain(services)
            .chain(nodes)
            .chain(self.waiting_items(scene))
            .chain(self.shelf_items(scene))
    }

    fn waiting_items<'a>(
        &'a self,
        scene: &'a ClusterScene,
    ) -> impl Iterator<Item = (Item<'a>, Rect)> + 'a {
        let groups = scene.waiting.iter().zip(&self.groups).enumerate();
        groups.flat_map(|(at, (group, place))| {
            let named = group.pods.iter().filter(|_| !place.is_crowded);
            let pods = named.zip(&place.pods).map(|(pod, rect)| (Item::Object(&pod.id), *rect));
            core::iter::once((Item::Waiting(at), place.rect)).chain(pods)
        })
    }

    fn shelf_items<'a>(
        &'a self,
        scene: &'a ClusterScene,
    ) -> impl Iterator<Item = (Item<'a>, Rect)> + 'a {
        let shelves = scene.shelves.iter().zip(&self.shelves).enumerate();
        shelves.flat_map(|(at, (shelf, place))| {
            let object = |(id, rect): (&'a ObjectId, &Rect)| (Item::Object(id), *rect);
            let name = shelf.namespace.iter().zip([&place.name]).map(object);
            let workloads = shelf.workloads.iter().map(|one| &one.id);
            let records = shelf.records.iter().map(|one| &one.id);
            let more = (place.more.w > 0.0).then_some((Item::More(at), place.more));
            name.chain(workloads.zip(&place.workloads).map(object))
                .chain(records.zip(&place.records).map(object))
                .chain(more)
        })
    }

    /// Where an object is: a Service at its chip, not at its load balancer.
    pub fn place_of(&self, scene: &ClusterScene, id: &ObjectId) -> Option<Rect> {
        let mut items = self.items(scene);
        items.find(|(one, _)| matches!(one, Item::Object(one) if *one == id)).map(|(_, rect)| rect)
    }

    /// The item of a key.
    pub fn find<'a>(&'a self, scene: &'a ClusterScene, key: &str) -> Option<(Item<'a>, Rect)> {
        self.items(scene).find(|(item, _)| item.key() == key)
    }
}
