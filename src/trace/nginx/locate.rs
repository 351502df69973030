//! Which server and which location a request comes to.
//!
//! Models nginx src/http/ngx_http_core_module.c ngx_http_core_find_location, with the names that
//! kubernetes/ingress-nginx internal/ingress/controller/template/template.go buildServerName gives.

use super::pattern::{Pattern, expand};
use super::{CATCH_ALL, Certificate, Configuration, Location, PathType, Server};
use std::sync::Arc;

/// Where a request came to.
#[derive(Clone, Copy, Debug)]
pub struct Located<'a> {
    /// The name of the server, `_` for the catch-all.
    pub host: &'a Arc<str>,
    /// The server.
    pub server: &'a Server,
    /// Its location.
    pub location: &'a Location,
}

/// Whether a host is one that a pattern like `*.example.com` stands for: exactly one label in the
/// place of the star, of letters, digits, `-` and `_`.
pub fn host_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(first, tail)| {
            let is_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !first.is_empty() && first.bytes().all(is_label) && tail.eq_ignore_ascii_case(rest)
        }),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

impl Configuration {
    /// The server of a host: the one of its name, one with a star, the catch-all.
    pub fn server(&self, host: &str) -> Option<(&Arc<str>, &Server)> {
        let host = host.to_ascii_lowercase();
        let named = |(name, server): &(&Arc<str>, &Server)| {
            ***name == *host || server.aliases.iter().any(|alias| **alias == *host)
        };
        let exact = self.servers.get_key_value(host.as_str());
        let exact = exact.or_else(|| self.servers.iter().find(named));
        let with_star = || {
            let mut all = self.servers.iter().filter(|(name, _)| name.starts_with("*."));
            all.find(|(name, _)| host_matches(name, &host))
        };
        exact.or_else(with_star).or_else(|| self.servers.get_key_value(CATCH_ALL))
    }

    /// The location of a host and a path (without its query).
    pub fn locate(&self, host: &str, path: &str) -> Option<Located<'_>> {
        let (host, server) = self.server(host)?;
        let location = server.location(path)?;
        Some(Located { host, server, location })
    }

    /// The certificate that is shown for a host: its own, or that of a host with a star.
    ///
    /// Models rootfs/etc/nginx/lua/certificate.lua get_pem_cert_uid.
    pub fn certificate(&self, host: &str) -> Option<&Certificate> {
        let host = host.to_ascii_lowercase();
        let own = |server: &Server| server.aliases.iter().any(|alias| **alias == *host);
        let named = self.servers.get(host.as_str());
        let named = named.or_else(|| self.servers.values().find(|server| own(server)));
        let with_star = || {
            let (_, tail) = host.split_once('.')?;
            self.servers.get(format!("*.{tail}").as_str())?.certificate.as_ref()
        };
        named.and_then(|server| server.certificate.as_ref()).or_else(with_star)
    }
}

impl Server {
    fn location(&self, path: &str) -> Option<&Location> {
        if self.by_pattern {
            let fits = |it: &&Location| it.pattern.as_ref().is_some_and(|own| own.is_match(path));
            return self.locations.iter().find(fits);
        }
        let is_exact = |it: &&Location| it.path_type == PathType::Exact && *it.path == *path;
        let begins =
            |it: &&Location| it.path_type != PathType::Exact && path.starts_with(&*it.path);
        // They stand with the longest first.
        self.locations.iter().find(is_exact).or_else(|| self.locations.iter().find(begins))
    }
}

impl Location {
    /// The path (with its query) as the backend will see it.
    ///
    /// Models internal/ingress/controller/template/template.go buildProxyPass: the rewrite's
    /// pattern may match anywhere, and what stands around it goes.
    pub fn rewrite(&self, asked: &str) -> Option<String> {
        if !self.rules.rewrites(&self.path) {
            return None;
        }
        let (path, query) = match asked.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (asked, None),
        };
        let pattern = Pattern::new(&self.path, true)?;
        let groups = pattern.find(path)?;
        let mut new = expand(&self.rules.rewrite_target, path, &groups);
        if let Some(query) = query {
            new.push(if new.contains('?') { '&' } else { '?' });
            new.push_str(query);
        }
        Some(new)
    }
}
