//! What a request asks for: its path and its query, taken apart.
//!
//! Models staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.

/// A request to the API server, as HTTP has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApiRequest<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// Path and query, with the leading slash.
    pub uri: &'a str,
    /// The body.
    pub body: &'a str,
    /// The header `Content-Type`; empty for none.
    pub content_type: &'a str,
    /// The header `User-Agent`.
    pub agent: &'a str,
}

/// The parameters behind the path.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
        });
        Query(pairs.collect())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let own = self.0.iter().filter(move |(own, _)| own == name);
        own.map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on: without a value it is, unless that is a no.
    pub(super) fn on(&self, name: &str) -> bool {
        self.has(name) && !matches!(self.get(name), "false" | "0" | "f" | "F" | "False" | "FALSE")
    }
}

/// A text without its `%2F`.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.and_then(|digits| core::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What is asked for of which resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// `apps`; empty for the core group.
    pub(super) group: String,
    /// `v1`.
    pub(super) version: String,
    /// Empty for all, and for what has none.
    pub(super) namespace: String,
    /// `deployments`.
    pub(super) resource: String,
    /// Empty for the collection.
    pub(super) name: String,
    /// `status`, `log`; empty for the object itself.
    pub(super) subresource: String,
    /// What comes after a subresource.
    pub(super) rest: Vec<String>,
}

impl Target {
    /// The target of the parts of a path; `None` for paths that name no resource.
    pub(super) fn of(parts: &[String]) -> Option<Self> {
        let (prefix, rest) = parts.split_first()?;
        let (group, rest) = match prefix.as_str() {
            "api" => (String::new(), rest),
            "apis" => rest.split_first().map(|(group, rest)| (group.clone(), rest))?,
            _ => return None,
        };
        let (version, mut rest) = rest.split_first().filter(|(_, rest)| !rest.is_empty())?;
        let mut target = Target { group, version: version.clone(), ..Target::default() };
        if let [first, namespace, more @ ..] = rest
            && first == "namespaces"
        {
            target.namespace.clone_from(namespace);
            let is_own = more.first().is_some_and(|it| it == "status" || it == "finalize");
            if !more.is_empty() && !is_own {
                rest = more;
            }
        }
        let mut words = rest.iter().cloned();
        let mut next = || words.next().unwrap_or_default();
        (target.resource, target.name, target.subresource) = (next(), next(), next());
        target.rest = words.collect();
        Some(target)
    }

    /// What the request does, as rules of roles call it.
    pub(super) fn verb(&self, method: &str, query: &Query) -> &'static str {
        match (method, self.name.is_empty()) {
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", true) => "deletecollection",
            ("DELETE", false) => "delete",
            ("GET" | "HEAD", true) if query.on("watch") => "watch",
            ("GET" | "HEAD", true) => "list",
            ("GET" | "HEAD", false) => "get",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_resource_or_not() {
        let of = |path: &str| {
            let parts: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
            Target::of(&parts).map(|it| {
                [it.group, it.version, it.namespace, it.resource, it.name, it.subresource].join("|")
            })
        };
        for (path, expected) in [
            ("/api/v1/pods", Some("|v1||pods||")),
            ("/api/v1/namespaces", Some("|v1||namespaces||")),
            ("/api/v1/namespaces/shop", Some("|v1|shop|namespaces|shop|")),
            ("/api/v1/namespaces/shop/status", Some("|v1|shop|namespaces|shop|status")),
            ("/api/v1/namespaces/shop/pods/a/log", Some("|v1|shop|pods|a|log")),
            ("/apis/apps/v1/namespaces/shop/deployments", Some("apps|v1|shop|deployments||")),
            ("/apis/apps/v1", None),
            ("/api/v1", None),
            ("/healthz/etcd", None),
        ] {
            assert_eq!(of(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn what_stands_behind_the_question_mark_is_decoded() {
        let query = Query::read("labelSelector=app%3Dweb%2Ctier&watch&pretty=false");
        assert_eq!(query.get("labelSelector"), "app=web,tier");
        assert!(query.on("watch") && !query.on("pretty") && !query.on("limit"));
    }
}
