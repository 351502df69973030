//! Which programs an image has.

use super::images;

/// Programs that ask others over the network.
pub(super) const ASKING: [&str; 8] =
    ["curl", "wget", "nslookup", "dig", "host", "getent", "ping", "nc"];

/// The programs of a machine or an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kit {
    /// curl.
    pub curl: bool,
    /// GNU wget.
    pub wget: bool,
    /// busybox: its own wget, nslookup, ping and nc.
    pub busybox: bool,
    /// Whether that busybox is 1.28 or older, whose nslookup is another one.
    pub old_nslookup: bool,
    /// BIND's nslookup, dig and host.
    pub bind: bool,
    /// Whether they are those of 9.9, which say less.
    pub old_bind: bool,
    /// getent.
    pub getent: bool,
    /// Whether the C library is musl.
    pub musl: bool,
    /// ping of iputils.
    pub ping: bool,
    /// nc of OpenBSD.
    pub nc: bool,
    /// A shell and the small tools that go with it.
    pub shell: bool,
    /// bash.
    pub bash: bool,
    /// Whether nothing is known of the image: it may have any other program.
    pub is_unknown: bool,
    /// The image's own programs.
    pub own: &'static [&'static str],
}

/// Whether an image has a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// Nobody knows.
    Perhaps,
}

impl Kit {
    /// All that a person's own computer has, and a node.
    pub const COMPUTER: Kit = Kit {
        curl: true,
        wget: true,
        bind: true,
        getent: true,
        ping: true,
        nc: true,
        shell: true,
        bash: true,
        ..Kit::NOTHING
    };
    const NOTHING: Kit = Kit {
        curl: false,
        wget: false,
        busybox: false,
        old_nslookup: false,
        bind: false,
        old_bind: false,
        getent: false,
        musl: false,
        ping: false,
        nc: false,
        shell: false,
        bash: false,
        is_unknown: false,
        own: &[],
    };
    const SHELL: Kit = Kit { shell: true, ..Kit::NOTHING };
    /// Debian, and what is like it.
    const DEBIAN: Kit = Kit { bash: true, getent: true, ..Kit::SHELL };
    const BUSYBOX: Kit = Kit { busybox: true, ..Kit::SHELL };
    const ALPINE: Kit = Kit { musl: true, getent: true, ..Kit::BUSYBOX };

    /// Whether a program, by its name or its whole path, is there.
    pub fn has(&self, program: &str) -> Presence {
        let name = program.rsplit('/').next().unwrap_or_default();
        let of_network = match name {
            "curl" => Some(self.curl),
            "wget" => Some(self.wget || self.busybox),
            "nslookup" => Some(self.bind || self.busybox),
            "dig" | "host" => Some(self.bind),
            "getent" => Some(self.getent),
            "ping" => Some(self.ping || self.busybox),
            "nc" => Some(self.nc || self.busybox),
            "bash" if !self.is_unknown => Some(self.bash),
            _ => None,
        };
        let found = self.own.contains(&program)
            || self.own.contains(&name)
            || of_network.unwrap_or_else(|| self.shell && self.has_tool(name));
        // An image without a shell has none of its tools either.
        let is_missed =
            of_network.is_some() || !self.shell && (self.has_tool(name) || name == "bash");
        match found {
            true => Presence::Yes,
            false if self.is_unknown && !is_missed => Presence::Perhaps,
            false => Presence::No,
        }
    }

    /// Whether a program is all that an image has: its server.
    pub fn is_all(&self, program: &str) -> bool {
        let name = program.rsplit('/').next().unwrap_or_default();
        !self.shell && self.own.contains(&name)
    }

    /// Whether a small tool is there.
    fn has_tool(&self, name: &str) -> bool {
        let is_in = |list: &str| list.split(' ').any(|own| own == name);
        is_in(EVERYWHERE) || is_in(if self.busybox { BUSYBOX_ALONE } else { DEBIAN_ALONE })
    }
}

/// Tools of busybox and of Debian's essential packages alike.
const EVERYWHERE: &str = "sh [ base64 basename cat chmod chown cp cut date dd df diff dirname du \
    echo egrep env expr false fgrep find grep gunzip gzip head hostname id ln ls md5sum mkdir \
    mktemp mount mv nohup nproc od printenv printf pwd readlink realpath rm rmdir sed seq \
    sha256sum sleep sort split stat stty sync tac tail tar tee test timeout touch tr true truncate \
    tty umount uname uniq wc which whoami xargs yes awk";
/// Of busybox alone.
const BUSYBOX_ALONE: &str = "ash clear crond free httpd ifconfig ip kill killall less more netstat \
    pgrep pidof pkill ps route telnet time top traceroute uptime usleep vi watch";
/// Of Debian alone.
const DEBIAN_ALONE: &str = "dash perl mawk";

/// What stands for the image of a person's own machine: no image can be called so.
pub(super) const PERSONS: &str = "~";

/// The programs of an image.
///
/// Simplified: of images that nothing is known of it is assumed that they have a shell and none of
/// the network's programs, as most images of applications do.
pub fn kit_of(image: &str) -> Kit {
    if image == PERSONS {
        return Kit::COMPUTER;
    }
    let image = image.split('@').next().unwrap_or_default();
    let last = image.rsplit('/').next().unwrap_or_default();
    let (name, tag) = last.split_once(':').unwrap_or((last, "latest"));
    let is_alpine = tag.contains("alpine");
    if image.contains("distroless") {
        return if tag.contains("debug") { Kit::BUSYBOX } else { Kit::NOTHING };
    }
    let is_official = images::is_official(image);
    let own = if is_official { own_programs(name) } else { &[] };
    let kit = match name {
        "busybox" => {
            let minor = tag.strip_prefix("1.").and_then(|rest| {
                rest.split(['.', '-']).next().and_then(|minor| minor.parse::<u32>().ok())
            });
            let musl = tag.contains("musl");
            Kit { old_nslookup: minor.is_some_and(|minor| minor <= 28), musl, ..Kit::BUSYBOX }
        }
        "alpine" => Kit::ALPINE,
        "curl" | "alpine-curl" => Kit { curl: true, ..Kit::ALPINE },
        "radial-busyboxplus" | "busyboxplus" => Kit { curl: true, ..Kit::BUSYBOX },
        "agnhost" => {
            Kit { curl: true, bind: true, nc: true, bash: true, own: &["agnhost"], ..Kit::ALPINE }
        }
        "netshoot" | "network-multitool" => Kit {
            curl: true,
            bind: true,
            ping: true,
            nc: true,
            bash: true,
            is_unknown: true,
            ..Kit::ALPINE
        },
        "dnsutils" | "jessie-dnsutils" => Kit { bind: true, old_bind: true, ..Kit::DEBIAN },
        // Debian's nginx has curl, and so has Alpine's.
        "nginx" if is_alpine => Kit { curl: true, ..Kit::ALPINE },
        "nginx" => Kit { curl: true, ..Kit::DEBIAN },
        "python" | "node" | "golang" | "ruby" | "perl" | "php"
            if !is_alpine && !tag.contains("slim") =>
        {
            Kit { curl: true, wget: name != "php", ..Kit::DEBIAN }
        }
        "whoami" => Kit { own: &["whoami"], ..Kit::NOTHING },
        "http-echo" => Kit { own: &["http-echo"], ..Kit::NOTHING },
        "hello-app" | "coredns" | "pause" | "kube-proxy" | "metrics-server" => {
            Kit { is_unknown: true, ..Kit::NOTHING }
        }
        "controller" => Kit { curl: true, is_unknown: true, ..Kit::ALPINE },
        _ if is_alpine => Kit { is_unknown: !is_official, ..Kit::ALPINE },
        _ if is_official => Kit::DEBIAN,
        _ => Kit { is_unknown: true, ..Kit::SHELL },
    };
    if own.is_empty() { kit } else { Kit { own, ..kit } }
}

/// What an official image was made for.
fn own_programs(name: &str) -> &'static [&'static str] {
    match name {
        "nginx" => &["nginx", "nginx-debug", "docker-entrypoint.sh"],
        "httpd" => &["httpd", "httpd-foreground", "apachectl"],
        "redis" => &["redis-server", "redis-cli", "redis-sentinel", "docker-entrypoint.sh"],
        "valkey" => &["valkey-server", "valkey-cli", "redis-cli", "docker-entrypoint.sh"],
        "memcached" => &["memcached", "docker-entrypoint.sh"],
        "postgres" => &[
            "postgres",
            "psql",
            "pg_isready",
            "pg_dump",
            "createdb",
            "initdb",
            "docker-entrypoint.sh",
        ],
        "mysql" => &["mysqld", "mysql", "mysqladmin", "mysqldump", "docker-entrypoint.sh"],
        "mariadb" => &[
            "mariadbd",
            "mariadb",
            "mariadb-admin",
            "mariadb-dump",
            "healthcheck.sh",
            "docker-entrypoint.sh",
        ],
        "mongo" => &["mongod", "mongos", "mongosh", "docker-entrypoint.sh"],
        "rabbitmq" => &["rabbitmq-server", "rabbitmqctl", "rabbitmq-diagnostics"],
        "python" => &["python", "python3", "pip", "pip3"],
        "node" => &["node", "npm", "npx", "yarn", "docker-entrypoint.sh"],
        "golang" => &["go", "gofmt", "git", "make"],
        "perl" => &["perl", "cpan"],
        "caddy" => &["caddy"],
        "traefik" => &["traefik"],
        "haproxy" => &["haproxy", "docker-entrypoint.sh"],
        "registry" => &["registry"],
        "fluentd" => &["fluentd"],
        "cassandra" => &["cassandra", "cqlsh", "nodetool"],
        "elasticsearch" => &["elasticsearch"],
        "tomcat" => &["catalina.sh", "java"],
        "jenkins" => &["java", "jenkins.sh"],
        "zookeeper" => &["zkServer.sh", "zkCli.sh", "java"],
        "consul" => &["consul"],
        "vault" => &["vault"],
        "influxdb" => &["influxd", "influx", "influxdb3"],
        "wordpress" | "drupal" | "joomla" | "nextcloud" => &["apache2-foreground", "php"],
        "ghost" => &["node", "ghost"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_what_they_really_have() {
        assert!(kit_of("nginx:1.27").curl && !kit_of("nginx:1.27").busybox);
        assert!(kit_of("nginx:1.27-alpine").busybox);
        assert!(kit_of("docker.io/library/busybox:1.28").old_nslookup);
        assert!(!kit_of("busybox:1.36").old_nslookup);
        assert!(kit_of("curlimages/curl").curl);
        assert_eq!(kit_of("gcr.io/distroless/static:nonroot"), Kit::NOTHING);
        assert_eq!(kit_of("me/app:1"), Kit { is_unknown: true, ..Kit::SHELL });
    }

    #[test]
    fn a_program_is_there_or_not_and_of_strange_images_nobody_knows() {
        let cases = [
            ("alpine:3", "bash", Presence::No),
            ("alpine:3", "/bin/sh", Presence::Yes),
            ("alpine:3", "ps", Presence::Yes),
            ("debian:13", "bash", Presence::Yes),
            ("nginx:1.27", "ps", Presence::No),
            ("nginx:1.27", "nginx", Presence::Yes),
            ("nginx:1.27", "nosuchcommand", Presence::No),
            ("traefik/whoami", "sh", Presence::No),
            ("traefik/whoami", "/whoami", Presence::Yes),
            ("registry.k8s.io/kube-proxy:v1.36.2", "/usr/local/bin/kube-proxy", Presence::Perhaps),
            ("registry.k8s.io/kube-proxy:v1.36.2", "sh", Presence::No),
            ("me/app:1", "./app", Presence::Perhaps),
            ("me/app:1", "curl", Presence::No),
            ("python:3.12", "python3", Presence::Yes),
            ("busybox", "python3", Presence::No),
        ];
        for (image, program, expected) in cases {
            assert_eq!(kit_of(image).has(program), expected, "{image} {program}");
        }
    }
}
