//! Which programs an image has.

/// The network programs of a machine or an image.
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
    /// nslookup of BIND.
    pub nslookup: bool,
    /// ping.
    pub ping: bool,
    /// nc.
    pub nc: bool,
    /// A shell and the small tools that go with it.
    pub shell: bool,
}

impl Kit {
    /// All that a person's own computer has, and a node.
    pub const COMPUTER: Kit = Kit {
        curl: true,
        wget: true,
        nslookup: true,
        ping: true,
        nc: true,
        shell: true,
        busybox: false,
        old_nslookup: false,
    };
    const NOTHING: Kit = Kit {
        curl: false,
        wget: false,
        busybox: false,
        old_nslookup: false,
        nslookup: false,
        ping: false,
        nc: false,
        shell: false,
    };
    const SHELL: Kit = Kit { shell: true, ..Kit::NOTHING };
    const BUSYBOX: Kit = Kit { busybox: true, ..Kit::SHELL };
}

/// The programs of an image.
///
/// Simplified: of images that nothing is known of it is assumed that they have a shell and none of
/// these programs, as most images of applications do.
pub fn kit_of(image: &str) -> Kit {
    let image = image.split('@').next().unwrap_or_default();
    let last = image.rsplit('/').next().unwrap_or_default();
    let (name, tag) = last.split_once(':').unwrap_or((last, "latest"));
    let is_alpine = tag.contains("alpine");
    if image.contains("distroless") {
        return if tag.contains("debug") { Kit::BUSYBOX } else { Kit::NOTHING };
    }
    match name {
        "busybox" => {
            let minor = tag.strip_prefix("1.").and_then(|rest| {
                rest.split(['.', '-']).next().and_then(|minor| minor.parse::<u32>().ok())
            });
            Kit { old_nslookup: minor.is_some_and(|minor| minor <= 28), ..Kit::BUSYBOX }
        }
        "alpine" => Kit::BUSYBOX,
        "curl" | "alpine-curl" => Kit { curl: true, ..Kit::BUSYBOX },
        "radial-busyboxplus" | "busyboxplus" => Kit { curl: true, ..Kit::BUSYBOX },
        "netshoot" | "network-multitool" | "agnhost" => {
            Kit { curl: true, nslookup: true, ..Kit::BUSYBOX }
        }
        "dnsutils" | "jessie-dnsutils" => Kit { nslookup: true, ..Kit::SHELL },
        // Debian's nginx has curl, and so has Alpine's.
        "nginx" if is_alpine => Kit { curl: true, ..Kit::BUSYBOX },
        "nginx" => Kit { curl: true, ..Kit::SHELL },
        "python" | "node" | "golang" | "ruby" | "perl" | "php"
            if !is_alpine && !tag.contains("slim") =>
        {
            Kit { curl: true, wget: name != "php", ..Kit::SHELL }
        }
        "whoami" | "http-echo" | "hello-app" | "coredns" | "pause" | "kube-proxy"
        | "metrics-server" => Kit::NOTHING,
        "controller" => Kit { curl: true, ..Kit::BUSYBOX },
        _ if is_alpine => Kit::BUSYBOX,
        _ => Kit::SHELL,
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
        assert_eq!(kit_of("traefik/whoami"), Kit::NOTHING);
        assert_eq!(kit_of("me/app:1"), Kit::SHELL);
    }
}
