//! The registry: which images there are, how large they are, and what they run.
//!
//! Simplified: there is no network to ask. Official images of Docker Hub are known by name, with
//! tags that look like versions; images of other owners and registries exist unless their tag
//! says that it does not.

/// What the model knows of an official image.
struct Official {
    name: &'static str,
    /// Ports it listens on unless its command is replaced.
    ports: &'static [u16],
    /// Whether its own command ends at once (a shell without a terminal).
    ends_at_once: bool,
    /// No tag has a later version, major and minor.
    newest: (u32, u32),
}

const fn image(name: &'static str, ports: &'static [u16], newest: (u32, u32)) -> Official {
    Official { name, ports, ends_at_once: false, newest }
}

const fn shell(name: &'static str, newest: (u32, u32)) -> Official {
    Official { name, ports: &[], ends_at_once: true, newest }
}

/// Official images that courses use, with room for the versions of the next months.
const OFFICIAL: [Official; 36] = [
    image("nginx", &[80], (1, 31)),
    image("httpd", &[80], (2, 4)),
    image("caddy", &[80, 443], (2, 11)),
    image("traefik", &[80], (3, 7)),
    image("haproxy", &[80], (3, 4)),
    image("redis", &[6379], (8, 8)),
    image("valkey", &[6379], (9, 1)),
    image("memcached", &[11211], (1, 6)),
    image("postgres", &[5432], (18, u32::MAX)),
    image("mysql", &[3306], (9, 7)),
    image("mariadb", &[3306], (12, 3)),
    image("mongo", &[27017], (8, 3)),
    image("cassandra", &[9042], (5, 1)),
    image("elasticsearch", &[9200], (9, u32::MAX)),
    image("rabbitmq", &[5672], (4, 3)),
    image("zookeeper", &[2181], (3, 9)),
    image("influxdb", &[8086], (3, u32::MAX)),
    image("consul", &[8500], (2, u32::MAX)),
    image("vault", &[8200], (2, u32::MAX)),
    image("registry", &[5000], (3, 1)),
    image("wordpress", &[80], (7, 1)),
    image("ghost", &[2368], (6, u32::MAX)),
    image("drupal", &[80], (11, 4)),
    image("joomla", &[80], (6, 2)),
    image("nextcloud", &[80], (34, u32::MAX)),
    image("tomcat", &[8080], (11, 0)),
    image("jenkins", &[8080], (2, u32::MAX)),
    image("fluentd", &[24224], (1, 19)),
    shell("busybox", (1, 38)),
    shell("alpine", (3, 24)),
    shell("debian", (13, u32::MAX)),
    shell("ubuntu", (26, 10)),
    shell("python", (3, 15)),
    shell("node", (26, u32::MAX)),
    shell("golang", (1, 27)),
    shell("perl", (5, 44)),
];

/// An image's name without its tag, and the tag (`latest` without one).
fn split(image: &str) -> (&str, &str) {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

fn official(image: &str) -> Option<&'static Official> {
    let (name, _) = split(image);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    OFFICIAL.iter().find(|official| official.name == name)
}

/// `docker.io/library/nginx:1.27`: how the runtime names an image.
pub fn reference(image: &str) -> String {
    let (name, tag) = split(image);
    let first = name.split('/').next().unwrap_or_default();
    let has_host = name.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    match (has_host, name.contains('/')) {
        (true, _) => format!("{name}:{tag}"),
        (false, true) => format!("docker.io/{name}:{tag}"),
        (false, false) => format!("docker.io/library/{name}:{tag}"),
    }
}

/// Whether a registry has the image.
pub fn exists(image: &str) -> bool {
    let (name, tag) = split(image);
    let plausible = |tag: &str| {
        let words = ["nonexistent", "notfound", "missing", "doesnotexist", "invalid", "bad"];
        !words.iter().any(|word| tag.contains(word))
    };
    match official(image) {
        Some(official) => {
            let words = [
                "latest",
                "stable",
                "alpine",
                "slim",
                "mainline",
                "bookworm",
                "trixie",
                "bullseye",
                "focal",
                "jammy",
                "noble",
                "edge",
                "lts",
                "musl",
                "glibc",
                "uclibc",
                "perl",
                "management",
                "apache",
                "fpm",
            ];
            let first = tag.split('-').next().unwrap_or_default();
            let is_version = version(first).is_some_and(|version| version <= official.newest);
            plausible(tag) && (is_version || words.contains(&first))
        }
        // A name without owner can only be official.
        None => name.contains('/') && plausible(tag) && plausible(name),
    }
}

/// Major and minor of `1.29`, `v3`, `1.29.1`.
fn version(tag: &str) -> Option<(u32, u32)> {
    let mut parts = tag.strip_prefix('v').unwrap_or(tag).split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().map_or(Some(0), |minor| minor.parse().ok())?;
    Some((major, minor))
}

/// Bytes of the image, compressed.
///
/// Simplified: one typical size for all.
pub const SIZE_BYTES: u64 = 72_295_909;

/// The ports that the image's own command listens on; `None` where the model cannot know.
pub(super) fn ports(image: &str) -> Option<&'static [u16]> {
    official(image).map(|official| official.ports)
}

/// Whether the image's own command ends at once.
pub(super) fn ends_at_once(image: &str) -> bool {
    official(image).is_some_and(|official| official.ends_at_once)
}

/// Whether an image is among those that a warm node has on its disk: every official one.
pub fn is_well_known(image: &str) -> bool {
    official(image).is_some() && exists(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_images_are_not_found() {
        let cases = [
            ("nginx", true),
            ("nginx:1.27", true),
            ("nginx:1.27-alpine", true),
            ("nginx:latst", false),
            ("nginx:nonexistent", false),
            ("nginx:1.99", false),
            ("postgres:17.2-alpine", true),
            ("ubuntu:24.04", true),
            ("python:4", false),
            ("ngnix", false),
            ("bitnami/redis:7", true),
            ("registry.k8s.io/pause:3.10", true),
            ("me/app:doesnotexist", false),
        ];
        for (image, expected) in cases {
            assert_eq!(exists(image), expected, "{image}");
        }
    }

    #[test]
    fn references_are_complete() {
        assert_eq!(reference("nginx"), "docker.io/library/nginx:latest");
        assert_eq!(reference("me/app:1"), "docker.io/me/app:1");
        assert_eq!(reference("localhost:5000/x"), "localhost:5000/x:latest");
    }
}
