//! What a container's process would do: how long it runs, how it ends, where it listens.
//!
//! Simplified: only the shell words that courses use are understood (`sleep`, `exit`, `true`,
//! `false`, `echo`, `date`, loops); any other command runs for ever.

use super::images;
use crate::api::pod::Container;

/// How long a process runs before it ends by itself, in milliseconds, and its exit code; `None`
/// if it runs for ever.
pub(super) fn natural_end(container: &Container) -> Option<(u64, i32)> {
    let words: Vec<&str> = container.command.iter().map(String::as_str).collect();
    if container.image.contains(CERTIFICATE_MAKER) {
        return Some((700, 0));
    }
    match words.as_slice() {
        [] => images::ends_at_once(&container.image).then_some((200, 0)),
        [shell, flag, script, ..]
            if is_shell(shell) && flag.starts_with('-') && flag.ends_with('c') =>
        {
            script_end(script)
        }
        words => command_end(words),
    }
}

/// Makes the certificate of a webhook, and ends.
const CERTIFICATE_MAKER: &str = "kube-webhook-certgen";

/// The exit code of a process that is asked to stop. Servers end well; what has a command of its
/// own is the first process of its container and hears no signal, so it is killed.
///
/// Simplified: it is killed at once, not after its grace period.
pub(super) fn exit_when_stopped(container: &Container) -> i32 {
    let is_server = container.command.is_empty() || images::ports(&container.image).is_some();
    if is_server || SERVERS.iter().any(|(image, _)| container.image.starts_with(image)) {
        0
    } else {
        137
    }
}

fn is_shell(word: &str) -> bool {
    matches!(word.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash"))
}

/// Runs a script word by word until something runs for ever or it exits.
fn script_end(script: &str) -> Option<(u64, i32)> {
    if ["while", "until", "for", "&\n", "tail -f", "wait"].iter().any(|word| script.contains(word))
    {
        return None;
    }
    let mut total = 0u64;
    let mut code = 0;
    let separators = ["&&", "||", ";", "\n"];
    let mut rest = script;
    while !rest.trim().is_empty() {
        let next = separators.iter().filter_map(|s| Some((rest.find(s)?, *s))).min();
        let (command, separator, tail) = match next {
            Some((at, separator)) => {
                let (command, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
                (command, separator, tail.get(separator.len()..).unwrap_or_default())
            }
            None => (rest, ";", ""),
        };
        rest = tail;
        let words: Vec<&str> = command.split_whitespace().collect();
        if let ["exit", number @ ..] = words.as_slice() {
            let number = number.first().and_then(|n| n.parse().ok());
            return Some((total.max(50), number.unwrap_or(code)));
        }
        let (duration, status) = if words.is_empty() { (0, 0) } else { command_end(&words)? };
        total = total.saturating_add(duration);
        code = status;
        if separator == "&&" && code != 0 || separator == "||" && code == 0 {
            // Simplified: what follows is skipped to the end of the script.
            break;
        }
    }
    Some((total.max(50), code))
}

fn command_end(words: &[&str]) -> Option<(u64, i32)> {
    let name = words.first()?.rsplit('/').next()?;
    match (name, words.get(1).copied()) {
        ("sleep", Some(time)) => sleep_millis(time).map(|millis| (millis, 0)),
        (
            "true" | ":" | "echo" | "date" | "env" | "hostname" | "cat" | "ls" | "printf" | "mkdir"
            | "touch" | "cp" | "id" | "pwd" | "uname" | "nslookup" | "wget" | "curl" | "nc"
            | "export" | "cd",
            _,
        ) => Some((50, 0)),
        ("perl", Some(_)) => Some((2_000, 0)),
        ("false", _) => Some((50, 1)),
        ("exit", code) => Some((0, code.and_then(|code| code.parse().ok()).unwrap_or(0))),
        _ => None,
    }
}

fn sleep_millis(time: &str) -> Option<u64> {
    let (digits, factor) = match time.as_bytes().last() {
        Some(b'm') => (time.trim_end_matches('m'), 60_000),
        Some(b'h') => (time.trim_end_matches('h'), 3_600_000),
        Some(b'd') => (time.trim_end_matches('d'), 86_400_000),
        _ => (time.trim_end_matches('s'), 1_000),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: u64 = whole.parse().ok()?;
    let tenths: u64 = fraction.get(..1).unwrap_or("0").parse().unwrap_or(0);
    Some(whole.saturating_mul(factor).saturating_add(tenths * factor / 10))
}

/// Images that listen on the same ports whatever their arguments are.
const SERVERS: [(&str, &[u16]); 2] = [
    ("registry.k8s.io/ingress-nginx/controller", &[80, 443, 8443, 10254]),
    ("registry.k8s.io/coredns/coredns", &[53, 8080, 8181, 9153]),
];

/// Whether a container listens on a port: as its image or its declared ports say. An image that
/// nothing is known of listens on what its container declares, or on any port if it declares none.
pub fn listens_on(container: &Container, port: u16) -> bool {
    let server = SERVERS.iter().find(|(image, _)| container.image.starts_with(image));
    if let Some((_, ports)) = server {
        return ports.contains(&port);
    }
    if let Some(own) = port_by_flag(container) {
        return port == own;
    }
    let declared = || container.ports.iter().any(|declared| declared.container_port == port);
    match images::ports(&container.image) {
        Some(ports) if container.command.is_empty() => ports.contains(&port),
        Some(_) | None if !container.ports.is_empty() => declared(),
        Some(_) => false,
        None => true,
    }
}

/// Small servers of courses that listen on one port, unless a flag says on which.
const BY_FLAG: [(&str, &[&str], u16); 4] = [
    ("http-echo", &["-listen", "--listen"], 5678),
    ("whoami", &["-port", "--port"], 80),
    ("hello-app", &[], 8080),
    ("netexec", &["--http-port"], 8080),
];

/// The port of a server that takes it from a flag or has its own; `None` for other images.
fn port_by_flag(container: &Container) -> Option<u16> {
    let image = container.image.rsplit('/').next().unwrap_or_default();
    let mut name = image.split([':', '@']).next().unwrap_or_default();
    if name == "agnhost" {
        name = match container.command.iter().find(|word| !word.starts_with(['-', '/'])) {
            Some(word) if word == "netexec" => "netexec",
            Some(word) if word == "serve-hostname" => return Some(9376),
            _ => return None,
        };
    }
    let (_, flags, usual) = BY_FLAG.iter().find(|(own, ..)| *own == name)?;
    let mut words = container.command.iter();
    while let Some(word) = words.next() {
        let (flag, given) =
            word.split_once('=').map_or((word.as_str(), None), |(a, b)| (a, Some(b)));
        if flags.contains(&flag) {
            let value = given.or_else(|| words.next().map(String::as_str)).unwrap_or_default();
            return value.rsplit(':').next().and_then(|port| port.parse().ok()).or(Some(*usual));
        }
    }
    Some(*usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PodSpec;
    use serde_json::json;

    fn container(image: &str, command: &[&str]) -> Container {
        let tree = json!({"containers": [{"name": "c", "image": image, "command": command}]});
        PodSpec::from_value(tree).containers.remove(0)
    }

    #[test]
    fn processes_end_as_their_commands_say() {
        type Case = (&'static str, &'static [&'static str], Option<(u64, i32)>);
        let cases: [Case; 9] = [
            ("nginx", &[], None),
            ("busybox", &[], Some((200, 0))),
            ("busybox", &["sleep", "2"], Some((2000, 0))),
            ("busybox", &["sleep", "infinity"], None),
            ("busybox", &["sh", "-c", "sleep 1; exit 3"], Some((1000, 3))),
            ("busybox", &["sh", "-c", "echo hi && sleep 2m"], Some((120_050, 0))),
            ("busybox", &["/bin/sh", "-c", "while true; do date; sleep 1; done"], None),
            ("busybox", &["false"], Some((50, 1))),
            ("busybox", &["my-server"], None),
        ];
        for (image, command, expected) in cases {
            assert_eq!(natural_end(&container(image, command)), expected, "{image} {command:?}");
        }
    }

    #[test]
    fn an_image_listens_where_it_listens_whatever_the_manifest_says() {
        let mut nginx = container("nginx", &[]);
        assert!(listens_on(&nginx, 80) && !listens_on(&nginx, 8080));
        nginx.image = "me/app:1".into();
        assert!(listens_on(&nginx, 8080));
        let echo = container("hashicorp/http-echo", &["-listen=:8080", "-text", "hi"]);
        assert!(listens_on(&echo, 8080) && !listens_on(&echo, 5678));
        let agnhost = container("registry.k8s.io/e2e-test-images/agnhost:2.53", &["netexec"]);
        assert!(listens_on(&agnhost, 8080) && !listens_on(&agnhost, 80));
    }
}
