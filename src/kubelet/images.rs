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
}

const fn image(name: &'static str, ports: &'static [u16]) -> Official {
    Official { name, ports, ends_at_once: false }
}

const fn shell(name: &'static str) -> Official {
    Official { name, ports: &[], ends_at_once: true }
}

/// Official images that courses use.
const OFFICIAL: [Official; 36] = [
    image("nginx", &[80]),
    image("httpd", &[80]),
    image("caddy", &[80, 443]),
    image("traefik", &[80]),
    image("haproxy", &[80]),
    image("redis", &[6379]),
    image("valkey", &[6379]),
    image("memcached", &[11211]),
    image("postgres", &[5432]),
    image("mysql", &[3306]),
    image("mariadb", &[3306]),
    image("mongo", &[27017]),
    image("cassandra", &[9042]),
    image("elasticsearch", &[9200]),
    image("rabbitmq", &[5672]),
    image("zookeeper", &[2181]),
    image("influxdb", &[8086]),
    image("consul", &[8500]),
    image("vault", &[8200]),
    image("registry", &[5000]),
    image("wordpress", &[80]),
    image("ghost", &[2368]),
    image("drupal", &[80]),
    image("joomla", &[80]),
    image("nextcloud", &[80]),
    image("tomcat", &[8080]),
    image("jenkins", &[8080]),
    image("fluentd", &[24224]),
    shell("busybox"),
    shell("alpine"),
    shell("debian"),
    shell("ubuntu"),
    shell("python"),
    shell("node"),
    shell("golang"),
    shell("perl"),
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
        Some(_) => {
            let words = [
                "latest",
                "stable",
                "alpine",
                "slim",
                "mainline",
                "bookworm",
                "trixie",
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
            let version = first.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
            plausible(tag) && (version || words.contains(&first))
        }
        // A name without owner can only be official.
        None => name.contains('/') && plausible(tag) && plausible(name),
    }
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
