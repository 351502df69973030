//! How a controller was started: its flags, and the options of its ConfigMap.
//!
//! Models kubernetes/ingress-nginx pkg/flags/flags.go and internal/ingress/controller/config.

use crate::api::pod::Container;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::store::{ObjectKey, Store};
use std::sync::Arc;

/// The image of the controller, without its tag.
const IMAGE: &str = "ingress-nginx/controller";
/// The annotation that named a class before there were classes.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// The flags of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// `--controller-class`: which IngressClasses are its own.
    pub controller: String,
    /// `--ingress-class`: the value of the old annotation that is its own.
    pub class: String,
    /// `--watch-ingress-without-class`.
    pub takes_classless: bool,
    /// `--publish-service`: the Service at whose addresses it is reached.
    pub publish: Option<ObjectKey>,
    /// `--configmap`.
    pub config_map: Option<ObjectKey>,
    /// `--default-ssl-certificate`.
    pub certificate: Option<ObjectKey>,
    /// `--default-backend-service`.
    pub default_backend: Option<ObjectKey>,
}

/// Why a controller leaves an Ingress alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// It names no class.
    NoClass,
    /// It names a class that is another controller's, or nobody's.
    OtherClass,
}

impl Settings {
    /// The flags of the controller that a container is, if it is one.
    pub fn of_container(namespace: &str, container: &Container) -> Option<Self> {
        let name = container.image.split(['@']).next().unwrap_or_default();
        let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
        if !name.ends_with(IMAGE) {
            return None;
        }
        let flag = |name: &str| {
            let mut words = container.command.iter();
            words
                .find_map(|word| word.trim_start_matches('-').strip_prefix(name)?.strip_prefix('='))
        };
        // The variable is the pod's own namespace, by the Downward API.
        let key = |name: &str| {
            let value = flag(name)?.replace("$(POD_NAMESPACE)", namespace);
            let (namespace, name) = value.split_once('/')?;
            Some(ObjectKey::new(namespace, name))
        };
        Some(Settings {
            namespace: Arc::from(namespace),
            controller: flag("controller-class").unwrap_or("k8s.io/ingress-nginx").to_owned(),
            class: flag("ingress-class").unwrap_or("nginx").to_owned(),
            takes_classless: flag("watch-ingress-without-class") == Some("true"),
            publish: key("publish-service"),
            config_map: key("configmap"),
            certificate: key("default-ssl-certificate"),
            default_backend: key("default-backend-service"),
        })
    }

    /// The flags of the controller that runs in a pod, and its container, if one does.
    pub fn of_pod(object: &Object) -> Option<(Self, &Container)> {
        let containers = object.pod()?.spec.containers.iter();
        let mut found = containers.filter_map(|container| {
            Some((Self::of_container(&object.meta.namespace, container)?, container))
        });
        found.next()
    }

    /// An option of the ConfigMap.
    pub fn option<'a>(&self, store: &'a Store, name: &str) -> Option<&'a str> {
        let map = store.get(Kind::ConfigMap, self.config_map.as_ref()?)?;
        map.content().str_at(&["data", name])
    }

    /// Whether an IngressClass is this controller's.
    pub fn is_own_class(&self, class: &Object) -> bool {
        class.spec().str_at(&["controller"]) == Some(&self.controller)
    }

    /// Whether an Ingress is this controller's, with the name of its class (`_` without one).
    ///
    /// Models kubernetes/ingress-nginx internal/ingress/controller/store/store.go GetIngressClass.
    ///
    /// # Errors
    /// Why it is not.
    pub fn class_of<'a>(&self, store: &Store, ingress: &'a Object) -> Result<&'a str, Ignored> {
        if let Some(name) = ingress.spec().str_at(&["ingressClassName"]) {
            let class = store.find(Kind::IngressClass, "", name);
            let is_own = class.is_some_and(|class| self.is_own_class(class));
            return if is_own { Ok(name) } else { Err(Ignored::OtherClass) };
        }
        match ingress.meta.annotations.get(CLASS_ANNOTATION) {
            Some(name) if name == self.class => Ok(name),
            Some(_) => Err(Ignored::OtherClass),
            None if self.takes_classless => Ok("_"),
            None => Err(Ignored::NoClass),
        }
    }
}
