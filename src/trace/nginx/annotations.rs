//! What an Ingress says beside its rules: the annotations that start with
//! `nginx.ingress.kubernetes.io/`.
//!
//! Models kubernetes/ingress-nginx internal/ingress/annotations.
//!
//! Simplified: those that courses use; others are taken and do nothing.

use crate::api::Object;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// What the controller's annotations begin with.
pub const PREFIX: &str = "nginx.ingress.kubernetes.io/";
/// The name of the cookie that keeps a client with its server.
const AFFINITY_COOKIE: &str = "INGRESSCOOKIE";

/// The annotations of an Ingress, read.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Annotations {
    /// `rewrite-target`; empty for none.
    pub rewrite_target: String,
    /// `use-regex`.
    pub use_regex: bool,
    /// `app-root`; empty for none.
    pub app_root: String,
    /// `ssl-redirect`, if it is said.
    pub ssl_redirect: Option<bool>,
    /// `force-ssl-redirect`.
    pub force_ssl_redirect: bool,
    /// `permanent-redirect` or `temporal-redirect`: status and URL.
    pub redirect: Option<(u16, String)>,
    /// `canary`, with its rules.
    pub canary: Option<Canary>,
    /// Canary rules without `canary: "true"`.
    pub canary_not_enabled: bool,
    /// `affinity: cookie`.
    pub affinity: Option<Affinity>,
    /// `whitelist-source-range` and its newer name; empty for everybody.
    pub allowed: Vec<IpNet>,
    /// `denylist-source-range`.
    pub denied: Vec<IpNet>,
    /// `upstream-vhost`; empty for the header as it came.
    pub upstream_host: String,
    /// `server-alias`.
    pub aliases: Vec<Arc<str>>,
    /// `backend-protocol` in upper case; empty for HTTP.
    pub backend_protocol: String,
    /// `service-upstream`: to the Service's address and not to its endpoints.
    pub service_upstream: bool,
    /// `auth-type: basic`: the Secret with the users, and the realm.
    pub basic_auth: Option<(String, String)>,
    /// `proxy-connect-timeout` in seconds.
    pub connect_timeout_seconds: Option<u32>,
    /// `proxy-next-upstream-tries`.
    pub tries: Option<u32>,
    /// `default-backend`: a Service of the same namespace that answers where none is left.
    pub default_backend: String,
}

/// Which requests go to the other version.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Canary {
    /// `canary-weight`, of [`total`](Self::total).
    pub weight: u32,
    /// `canary-weight-total`.
    pub total: u32,
    /// `canary-by-header`; empty for none.
    pub header: String,
    /// `canary-by-header-value`; empty for `always` and `never`.
    pub header_value: String,
    /// `canary-by-header-pattern`; empty for none.
    pub header_pattern: String,
    /// `canary-by-cookie`; empty for none.
    pub cookie: String,
}

/// The cookie that keeps a client with its server.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Affinity {
    /// Its name.
    pub name: String,
    /// Whether it stays with a server when others come; otherwise some clients move.
    pub persistent: bool,
    /// `session-cookie-path`; empty for the path of the rule.
    pub path: String,
    /// `session-cookie-domain`.
    pub domain: String,
    /// `session-cookie-max-age` in seconds.
    pub max_age: String,
    /// `session-cookie-expires` in seconds.
    pub expires: String,
    /// `session-cookie-samesite`.
    pub same_site: String,
    /// `session-cookie-secure`.
    pub secure: bool,
    /// `session-cookie-change-on-failure`.
    pub change_on_failure: bool,
    /// `affinity-canary-behavior` is not `legacy`: canaries keep their clients too.
    pub sticky_canary: bool,
}

struct Reader<'a>(&'a Object);

impl Reader<'_> {
    fn text(&self, name: &str) -> String {
        let value = self.0.meta.annotations.get(&format!("{PREFIX}{name}")).unwrap_or_default();
        value.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
    }

    /// What Go's strconv.ParseBool makes of it.
    fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name).as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.text(name).parse().ok()
    }

    fn networks(&self, name: &str) -> Vec<IpNet> {
        let text = self.text(name);
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let network = |part: &str| match part.parse::<IpNet>() {
            Ok(network) => Some(network),
            Err(_) => part.parse::<IpAddr>().ok().map(IpNet::from),
        };
        parts.filter_map(network).collect()
    }

    fn redirect(&self) -> Option<(u16, String)> {
        let of = |name: &str, usual: u16, most: u16| {
            let url = Some(self.text(name)).filter(|url| url.starts_with("http"))?;
            let code = self.number(&format!("{name}-code"));
            let code = code.and_then(|code| u16::try_from(code).ok());
            Some((code.filter(|code| (300..=most).contains(code)).unwrap_or(usual), url))
        };
        of("temporal-redirect", 302, 307).or_else(|| of("permanent-redirect", 301, 308))
    }

    fn canary(&self) -> Canary {
        Canary {
            weight: self.number("canary-weight").unwrap_or(0),
            // The balancer takes totals under a hundred for a hundred.
            total: self.number("canary-weight-total").unwrap_or(100).max(100),
            header: self.text("canary-by-header"),
            header_value: self.text("canary-by-header-value"),
            header_pattern: self.text("canary-by-header-pattern"),
            cookie: self.text("canary-by-cookie"),
        }
    }

    fn affinity(&self) -> Affinity {
        let name = Some(self.text("session-cookie-name")).filter(|name| !name.is_empty());
        let seconds = |name: &str| {
            Some(self.text(name)).filter(|text| text.parse::<i64>().is_ok()).unwrap_or_default()
        };
        Affinity {
            name: name.unwrap_or_else(|| AFFINITY_COOKIE.to_owned()),
            persistent: self.text("affinity-mode") == "persistent",
            path: self.text("session-cookie-path"),
            domain: self.text("session-cookie-domain"),
            max_age: seconds("session-cookie-max-age"),
            expires: seconds("session-cookie-expires"),
            same_site: self.text("session-cookie-samesite"),
            secure: self.flag("session-cookie-secure").unwrap_or_default(),
            change_on_failure: self.flag("session-cookie-change-on-failure").unwrap_or_default(),
            sticky_canary: self.text("affinity-canary-behavior") != "legacy",
        }
    }
}

impl Annotations {
    /// Reads the annotations of an Ingress.
    pub fn of(ingress: &Object) -> Self {
        let reader = Reader(ingress);
        let canary = reader.canary();
        let enabled = reader.flag("canary").unwrap_or_default();
        let allowed = reader.networks("allowlist-source-range");
        let allowed = match allowed.is_empty() {
            true => reader.networks("whitelist-source-range"),
            false => allowed,
        };
        let aliases = reader.text("server-alias");
        let aliases = aliases.split(',').map(str::trim).filter(|alias| !alias.is_empty());
        let secret = Some(reader.text("auth-secret"));
        let secret = secret.filter(|_| reader.text("auth-type") == "basic");
        Annotations {
            rewrite_target: reader.text("rewrite-target"),
            use_regex: reader.flag("use-regex").unwrap_or_default(),
            app_root: Some(reader.text("app-root"))
                .filter(|root| root.starts_with('/'))
                .unwrap_or_default(),
            ssl_redirect: reader.flag("ssl-redirect"),
            force_ssl_redirect: reader.flag("force-ssl-redirect").unwrap_or_default(),
            redirect: reader.redirect(),
            canary_not_enabled: !enabled
                && canary != (Canary { total: canary.total, ..Canary::default() }),
            canary: enabled.then_some(canary),
            affinity: (reader.text("affinity") == "cookie").then(|| reader.affinity()),
            allowed,
            denied: reader.networks("denylist-source-range"),
            upstream_host: reader.text("upstream-vhost"),
            aliases: aliases.map(Arc::from).collect(),
            backend_protocol: reader.text("backend-protocol").to_ascii_uppercase(),
            service_upstream: reader.flag("service-upstream").unwrap_or_default(),
            basic_auth: secret.map(|secret| (secret, reader.text("auth-realm"))),
            connect_timeout_seconds: reader.number("proxy-connect-timeout"),
            tries: reader.number("proxy-next-upstream-tries"),
            default_backend: reader.text("default-backend"),
        }
    }

    /// Whether the path is changed on its way, so that all paths of the host are patterns.
    ///
    /// Models internal/ingress/controller/location.go needsRewrite.
    pub(super) fn rewrites(&self, path: &str) -> bool {
        !self.rewrite_target.is_empty() && self.rewrite_target != path
    }
}
