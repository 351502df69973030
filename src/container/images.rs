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
    /// The user that its Dockerfile names; empty for none, which is root.
    user: &'static str,
    /// How its server ends when it is asked to.
    stop_code: i32,
}

const fn image(name: &'static str, ports: &'static [u16], newest: (u32, u32)) -> Official {
    Official { name, ports, ends_at_once: false, newest, user: "", stop_code: 0 }
}

/// Java ends with 128 and the number of SIGTERM.
const fn java(name: &'static str, ports: &'static [u16], newest: (u32, u32)) -> Official {
    Official { stop_code: 143, ..image(name, ports, newest) }
}

const fn shell(name: &'static str, newest: (u32, u32)) -> Official {
    Official { ends_at_once: true, ..image(name, &[], newest) }
}

const fn user(user: &'static str, image: Official) -> Official {
    Official { user, ..image }
}

/// Official images that courses use, with room for the versions of the next months.
const OFFICIAL: [Official; 36] = [
    image("nginx", &[80], (1, 31)),
    image("httpd", &[80], (2, 4)),
    image("caddy", &[80, 443], (2, 11)),
    image("traefik", &[80], (3, 7)),
    user("haproxy", image("haproxy", &[80], (3, 4))),
    image("redis", &[6379], (8, 8)),
    image("valkey", &[6379], (9, 1)),
    user("memcache", image("memcached", &[11211], (1, 6))),
    image("postgres", &[5432], (18, u32::MAX)),
    image("mysql", &[3306], (9, 7)),
    image("mariadb", &[3306], (12, 3)),
    image("mongo", &[27017], (8, 3)),
    java("cassandra", &[9042], (5, 1)),
    user("1000:0", java("elasticsearch", &[9200], (9, u32::MAX))),
    image("rabbitmq", &[5672], (4, 3)),
    java("zookeeper", &[2181], (3, 9)),
    image("influxdb", &[8086], (3, u32::MAX)),
    image("consul", &[8500], (2, u32::MAX)),
    image("vault", &[8200], (2, u32::MAX)),
    image("registry", &[5000], (3, 1)),
    image("wordpress", &[80], (7, 1)),
    image("ghost", &[2368], (6, u32::MAX)),
    image("drupal", &[80], (11, 4)),
    image("joomla", &[80], (6, 2)),
    image("nextcloud", &[80], (34, u32::MAX)),
    java("tomcat", &[8080], (11, 0)),
    user("jenkins", java("jenkins", &[8080], (2, u32::MAX))),
    user("fluent", image("fluentd", &[24224], (1, 19))),
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

/// Whether the name of an image can be one at all.
///
/// Models github.com/distribution/reference ParseNormalizedNamed.
///
/// # Errors
/// Its sentence.
pub fn check_name(image: &str) -> Result<(), String> {
    let invalid = || "invalid reference format".to_owned();
    let (first, rest) = image.split_once('/').unwrap_or(("", image));
    let is_host = first.contains(['.', ':'])
        || first == "localhost"
        || first.chars().any(|letter| letter.is_ascii_uppercase());
    let (host, rest) = match (is_host, first) {
        (true, host) => (host, rest.to_owned()),
        (false, "") => ("docker.io", format!("library/{rest}")),
        (false, _) => ("docker.io", image.to_owned()),
    };
    let name = rest.split(':').next().unwrap_or_default();
    if name.chars().any(|letter| letter.is_ascii_uppercase()) {
        return Err(format!(
            "invalid reference format: repository name ({name}) must be lowercase"
        ));
    }
    let (rest, digest) = rest.split_once('@').map_or((&*rest, None), |(a, b)| (a, Some(b)));
    let (path, tag) = rest.split_once(':').map_or((rest, None), |(a, b)| (a, Some(b)));
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let is_tag = |tag: &str| {
        tag.len() <= 128
            && tag.starts_with(is_word)
            && tag.chars().all(|letter| is_word(letter) || matches!(letter, '.' | '-'))
    };
    let is_digest = |digest: &str| {
        digest.split_once(':').is_some_and(|(_, hex)| {
            hex.len() >= 32 && hex.chars().all(|letter| letter.is_ascii_hexdigit())
        })
    };
    let host_letters = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]".contains(letter);
    let good = host.chars().all(host_letters)
        && path.split('/').all(is_path_component)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest);
    if good { Ok(()) } else { Err(invalid()) }
}

/// Small letters and digits, parted by one dot, one or two underscores, or dashes.
fn is_path_component(part: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let parting = part.split(is_plain).filter(|between| !between.is_empty());
    part.starts_with(is_plain)
        && part.ends_with(is_plain)
        && parting.into_iter().all(|between| {
            matches!(between, "." | "_" | "__") || between.chars().all(|letter| letter == '-')
        })
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

/// Whether an image is one of Docker Hub's official ones.
pub(super) fn is_official(image: &str) -> bool {
    official(image).is_some()
}

/// Who an image's processes run as if nobody says otherwise: the user of its Dockerfile, `1000`,
/// `1000:0`, `memcache`, or "" for root; `None` where the model cannot know.
pub fn user_of(image: &str) -> Option<&'static str> {
    const OTHERS: [(&str, &str); 6] = [
        ("curlimages/curl", "curl_user"),
        ("nginxinc/nginx-unprivileged", "101"),
        ("hashicorp/http-echo", "65532:65532"),
        ("traefik/whoami", ""),
        ("registry.k8s.io/e2e-test-images/agnhost", ""),
        ("registry.k8s.io/pause", "65535:65535"),
    ];
    let (name, tag) = split(image);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    let other = OTHERS.iter().find(|(own, _)| *own == name).map(|(_, user)| *user);
    let distroless = name.contains("distroless/").then(|| match tag.contains("nonroot") {
        true => "65532",
        false => "0",
    });
    official(image).map(|official| official.user).or(other).or(distroless)
}

/// Whether an image has a program of its own that takes what a container is given as arguments.
pub fn has_entrypoint(image: &str) -> bool {
    let (name, _) = split(image);
    let last = name.rsplit('/').next().unwrap_or_default();
    let known = [
        "agnhost",
        "whoami",
        "http-echo",
        "hello-app",
        "coredns",
        "controller",
        "metrics-server",
        "kube-proxy",
        "pause",
        "traefik",
        "registry",
        "caddy",
    ];
    known.contains(&last)
}

/// The words that a container's process is started with: images of curl put theirs before what is
/// no program.
pub fn completed_words(image: &str, words: Vec<String>, is_command: bool) -> Vec<String> {
    let (name, _) = split(image);
    let is_curl = name.rsplit('/').next() == Some("curl");
    let names_program =
        words.first().is_some_and(|word| super::kit_of(image).has(word) == super::Presence::Yes);
    if !is_curl || is_command || words.is_empty() || names_program {
        return words;
    }
    ["curl".to_owned()].into_iter().chain(words).collect()
}

/// How an image's own server ends when it is asked to.
///
/// Simplified: of servers that nothing is known of it is assumed that they end well.
pub fn stop_code(image: &str) -> i32 {
    let (name, _) = split(image);
    match official(image) {
        Some(official) => official.stop_code,
        // Programs in Go that do not listen for SIGTERM, as first processes.
        None if name.ends_with("/whoami") || name.ends_with("/hello-app") => 2,
        None => 0,
    }
}

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
    fn names_that_cannot_be_are_refused_in_the_words_of_the_library() {
        let wrong = "invalid reference format";
        let upper = "invalid reference format: repository name (library/Nginx) must be lowercase";
        let cases = [
            ("nginx", None),
            ("nginx:1.27-alpine_x.y", None),
            ("registry.k8s.io/e2e-test-images/agnhost:2.53", None),
            ("localhost:5000/a__b/c--d:1", None),
            ("Nginx:1.27", Some(upper)),
            ("nginx:1.27:latest", Some(wrong)),
            ("nginx:", Some(wrong)),
            ("https://nginx", Some(wrong)),
            ("a..b", Some(wrong)),
            ("-nginx", Some(wrong)),
            ("nginx:.x", Some(wrong)),
            ("nginx@sha256:abc", Some(wrong)),
        ];
        for (image, expected) in cases {
            assert_eq!(check_name(image).err().as_deref(), expected, "{image}");
        }
    }

    #[test]
    fn references_are_complete() {
        assert_eq!(reference("nginx"), "docker.io/library/nginx:latest");
        assert_eq!(reference("me/app:1"), "docker.io/me/app:1");
        assert_eq!(reference("localhost:5000/x"), "localhost:5000/x:latest");
    }
}
