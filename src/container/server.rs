//! What servers in containers do: where they listen, and what they answer.
//!
//! Simplified: images that courses use answer as they really do, all others with a line that names
//! the pod.

use super::files::{Found, View, normal};
use super::headers::Headers;
use super::images;
use crate::api::Object;
use crate::api::pod::Container;
use crate::base::{SimTime, order};
use crate::net::Protocol;
use crate::net::packet::Endpoint;
use core::time::Duration;
use std::sync::Arc;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status; 0 if it is no HTTP.
    pub status: u16,
    /// Body.
    pub body: Arc<str>,
}

impl Response {
    /// An HTTP answer.
    pub fn http(status: u16, body: &str) -> Self {
        Response { status, body: Arc::from(body) }
    }
}

/// What a server is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Port.
    pub port: u16,
    /// Protocol.
    pub protocol: Protocol,
    /// Path, with the query.
    pub path: &'a str,
    /// Header `Host`.
    pub host: &'a str,
    /// Method.
    pub method: &'a str,
    /// Header `User-Agent`.
    pub agent: &'a str,
    /// The other headers.
    pub headers: &'a Headers,
    /// Body.
    pub body: &'a str,
    /// The source that is seen.
    pub source: Endpoint,
    /// The present.
    pub now: SimTime,
}

/// A server that is asked.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    /// Its pod.
    pub pod: &'a Object,
    /// Its container.
    pub container: &'a Container,
    /// Since when the container runs, where that is known.
    pub since: Option<SimTime>,
    /// Its files, where they are known.
    pub files: Option<View<'a>>,
    /// The folder that a program serves which the container was given; the image's own server
    /// answers without.
    pub folder: Option<&'a str>,
}

/// What a server answers.
pub fn respond(host: &Host<'_>, asked: &Asked<'_>) -> Response {
    if asked.protocol != Protocol::Tcp {
        return Response { status: 0, body: Arc::from("") };
    }
    let container = host.container;
    let name = &*host.pod.meta.name;
    let path = asked.path.split('?').next().unwrap_or_default();
    if let Some(folder) = host.folder {
        return from_folder(host, folder, path, "404 Not Found\n");
    }
    if container.image.starts_with(GATEWAY) && asked.port == READINESS_PORT {
        return Response::http(200, "");
    }
    match name_of(&container.image) {
        "nginx" if asked.method == "POST" => Response::http(405, &nginx_page(405)),
        "nginx" => from_folder(host, NGINX_FOLDER, path, ""),
        "httpd" => from_folder(host, HTTPD_FOLDER, path, HTTPD_404),
        "hello-app" => Response::http(200, &hello(container, name)),
        "http-echo" if path == "/health" => Response::http(200, "{\"status\":\"ok\"}\n"),
        "http-echo" => Response::http(200, &format!("{}\n", echo_text(container))),
        "agnhost" | "netexec" | "serve-hostname" => agnhost(path, name, host, asked),
        "whoami" => Response::http(200, &whoami(host.pod, asked)),
        "mongo" => Response::http(200, MONGO),
        image if !speaks_http(image) => Response { status: 0, body: Arc::from("") },
        _ => Response::http(200, &format!("{name}\n")),
    }
}

/// When a server that is asked again could answer otherwise although nobody changed anything.
pub fn changes_at(container: &Container, since: SimTime) -> Option<SimTime> {
    is_liveness(container).then_some(since + LIVENESS_TURNS)
}

/// What a server of files answers; without a page for what is missing nginx' own.
fn from_folder(host: &Host<'_>, folder: &str, path: &str, missing: &str) -> Response {
    let Some(files) = host.files else {
        // A server without a disk: only its home page is known.
        let page = if folder == HTTPD_FOLDER { HTTPD } else { NGINX };
        return if is_home(path) { Response::http(200, page) } else { not_found(missing) };
    };
    let place = normal(folder, path.trim_start_matches('/'));
    let index = || files.text(&normal(&place, "index.html"));
    match files.find(&place) {
        Some(Found::File { text, .. }) => Response::http(200, &text),
        Some(_) if !path.ends_with('/') => Response::http(301, &nginx_page(301)),
        Some(_) => index().map_or_else(
            || Response::http(403, &nginx_page(403)),
            |text| Response::http(200, &text),
        ),
        None => not_found(missing),
    }
}

fn not_found(page: &str) -> Response {
    match page {
        "" => Response::http(404, &nginx_page(404)),
        page => Response::http(404, page),
    }
}

/// `nginx` of `docker.io/library/nginx:1.27`.
pub(super) fn name_of(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split([':', '@']).next().unwrap_or_default()
}

/// The header `Content-Type` of what an image answers.
pub fn content_type(image: &str, path: &str, status: u16) -> &'static str {
    let path = path.split('?').next().unwrap_or_default();
    match name_of(image) {
        "nginx" | "controller" => "text/html",
        "httpd" if status == 404 => "text/html; charset=iso-8859-1",
        "httpd" => "text/html",
        "" if status == 403 => "application/json",
        _ if path.ends_with(".json") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

/// The header `Server` of what an image answers, if it sends one.
pub fn server_header(image: &str) -> Option<String> {
    let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    let version = tag.split('-').next().unwrap_or_default();
    let is_full = version.split('.').count() == 3;
    let version = |usual: &str| if is_full { version.to_owned() } else { usual.to_owned() };
    // Simplified: a tag that leaves the version open stands for one release.
    match name_of(image) {
        "nginx" => Some(format!(
            "nginx/{}",
            match tag.split('-').next() {
                Some("1.27") => "1.27.5".to_owned(),
                Some("1.28") => "1.28.0".to_owned(),
                _ => version("1.29.3"),
            }
        )),
        "httpd" => Some(format!("Apache/{} (Unix)", version("2.4.65"))),
        "http-echo" => None,
        _ => None,
    }
}

/// Whether an image's server speaks HTTP.
pub fn speaks_http(image: &str) -> bool {
    !matches!(
        name_of(image),
        "redis" | "valkey" | "postgres" | "mysql" | "mariadb" | "memcached" | "rabbitmq"
    )
}

/// Whether a server that speaks no HTTP answers to it with words of its own, and does not just
/// hang up.
pub fn says_something(image: &str) -> bool {
    matches!(name_of(image), "mysql" | "mariadb" | "memcached" | "rabbitmq")
}

/// The nginx of NGINX Gateway Fabric, which listens on the ports of its Gateway and on one more, for
/// the kubelet.
const GATEWAY: &str = "ghcr.io/nginx/nginx-gateway-fabric/nginx";
/// Where it says whether it is ready.
pub const READINESS_PORT: u16 = 8081;

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
    if container.image.starts_with(GATEWAY) {
        return port == READINESS_PORT || declares(container, port);
    }
    if let Some(own) = port_by_flag(container) {
        return port == own;
    }
    match container.command.first().map(|word| word.rsplit('/').next().unwrap_or_default()) {
        Some("sleep" | "tail" | "pause" | "true" | "false" | "stress") => false,
        Some(_) if images::is_official(&container.image) && !serves_itself(container) => {
            declares(container, port)
        }
        _ => may_listen_on(container, port),
    }
}

fn declares(container: &Container, port: u16) -> bool {
    container.ports.iter().any(|declared| declared.container_port == port)
}

/// Whether the server of a container's image could listen on a port.
pub fn may_listen_on(container: &Container, port: u16) -> bool {
    match images::ports(&container.image) {
        Some([]) => declares(container, port),
        Some(ports) => match given_port(container) {
            Some(given) => given == port,
            None => ports.contains(&port),
        },
        None => container.ports.is_empty() || declares(container, port),
    }
}

/// `--port 7000`, `-p 7000`.
fn given_port(container: &Container) -> Option<u16> {
    let mut words = container.command.iter();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some(("--port", port)) => return port.parse().ok(),
            _ if matches!(word.as_str(), "--port" | "-p") => return words.next()?.parse().ok(),
            _ => {}
        }
    }
    None
}

/// Whether what a container is started with is its image's own server.
pub fn serves_itself(container: &Container) -> bool {
    let Some(first) = container.command.first() else { return true };
    let name = first.rsplit('/').next().unwrap_or_default();
    let is_own = matches!(name, "nginx" | "docker-entrypoint.sh")
        || super::kit_of(&container.image).is_all(name)
        || super::commands::is_server(name);
    is_own || first.starts_with('-') || images::ports(&container.image).is_none()
}

/// Whether a container's server could speak gRPC: that of an image which is known for something
/// else does not.
pub fn may_speak_grpc(container: &Container) -> bool {
    match name_of(&container.image) {
        "agnhost" => container.command.iter().any(|word| word == "grpc-health-checking"),
        "whoami" | "http-echo" | "hello-app" => false,
        _ => !images::is_official(&container.image),
    }
}

const NGINX_FOLDER: &str = "/usr/share/nginx/html";
const HTTPD_FOLDER: &str = "/usr/local/apache2/htdocs";

/// Whether a server of files answers a path with its home page.
pub fn is_home(path: &str) -> bool {
    matches!(path.split('?').next(), Some("/" | "/index.html"))
}

/// The folder whose files the server of an image answers with, if it does.
pub fn served_folder(image: &str) -> Option<&'static str> {
    match name_of(image) {
        "nginx" => Some(NGINX_FOLDER),
        "httpd" => Some(HTTPD_FOLDER),
        _ => None,
    }
}

/// What `ps` shows of an image's own server.
pub fn own_words(image: &str) -> String {
    match name_of(image) {
        "nginx" => "nginx: master process nginx -g daemon off;".to_owned(),
        "httpd" => "httpd -DFOREGROUND".to_owned(),
        "redis" => "redis-server *:6379".to_owned(),
        "postgres" => "postgres".to_owned(),
        "mysql" => "mysqld".to_owned(),
        "mariadb" => "mariadbd".to_owned(),
        "mongo" => "mongod --bind_ip_all".to_owned(),
        name => name.to_owned(),
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
            Some(word) if word == "liveness" => "hello-app",
            Some(word) if word == "serve-hostname" => return Some(9376),
            Some(word) if word == "grpc-health-checking" => return Some(5000),
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

const MONGO: &str =
    "It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n";

pub(super) const NGINX: &str = "<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href=\"http://nginx.org/\">nginx.org</a>.<br/>
Commercial support is available at
<a href=\"http://nginx.com/\">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
";

pub(super) const NGINX_50X: &str = "<!DOCTYPE html>
<html>
<head>
<title>Error</title>
</head>
<body>
<h1>An error occurred.</h1>
<p>Sorry, the page you are looking for is currently unavailable.<br/>
Please try again later.</p>
<p><em>Faithfully yours, nginx.</em></p>
</body>
</html>
";

pub(super) const HTTPD: &str = "<html><body><h1>It works!</h1></body></html>\n";

/// nginx' own page for a status.
pub fn nginx_page(status: u16) -> String {
    let title = match status {
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Authorization Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Not Allowed",
        502 => "Bad Gateway",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        _ => "Internal Server Error",
    };
    format!(
        "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<center><h1>{status} {title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}

/// What the ingress controller says on port 443 to who does not speak TLS.
pub const NGINX_PLAIN_TO_TLS: &str = "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>The plain HTTP request was sent to HTTPS port</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

const HTTPD_404: &str = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n</body></html>\n";

fn hello(container: &Container, pod: &str) -> String {
    let tag = container.image.rsplit_once(':').map_or("1.0", |(_, tag)| tag);
    format!("Hello, world!\nVersion: {tag}.0\nHostname: {pod}\n")
}

fn echo_text(container: &Container) -> &str {
    let mut words = container.command.iter();
    while let Some(word) = words.next() {
        if let Some(text) = word.strip_prefix("-text=").or_else(|| word.strip_prefix("--text=")) {
            return text;
        }
        if matches!(word.as_str(), "-text" | "--text") {
            return words.next().map_or("", String::as_str);
        }
    }
    "hello-world"
}

/// How long the server of the subcommand `liveness` is well.
const LIVENESS_TURNS: Duration = Duration::from_secs(10);

/// Whether a container runs the server that fails after ten seconds, of the tasks on probes.
fn is_liveness(container: &Container) -> bool {
    name_of(&container.image) == "agnhost" && container.command.iter().any(|it| it == "liveness")
}

/// The subcommands of agnhost that courses use.
///
/// Models test/images/agnhost/{netexec,liveness,serve-hostname}.
fn agnhost(path: &str, pod: &str, host: &Host<'_>, asked: &Asked<'_>) -> Response {
    if host.container.command.iter().any(|word| word == "serve-hostname") {
        return Response::http(200, pod);
    }
    if is_liveness(host.container) {
        let runs_for = host.since.map(|since| asked.now.since(since));
        return match path {
            "/healthz" if runs_for.is_some_and(|time| time > LIVENESS_TURNS) => {
                let seconds = runs_for.unwrap_or_default().as_secs();
                Response::http(500, &format!("error: {seconds}"))
            }
            "/healthz" => Response::http(200, "ok"),
            _ => Response::http(404, "404 page not found\n"),
        };
    }
    match path {
        "/hostname" | "/hostName" => Response::http(200, pod),
        "/clientip" => Response::http(200, &asked.source.to_string()),
        "/healthz" => Response::http(200, ""),
        "/echo" => {
            let message = asked.path.split_once("msg=").map_or("", |(_, message)| message);
            Response::http(200, message)
        }
        _ => {
            let now = asked.now.rfc3339().replace('T', " ").replace('Z', "");
            Response::http(200, &format!("NOW: {now}.000000000 +0000 UTC m=+0.000000000"))
        }
    }
}

/// Models traefik/whoami: who it is, who asked, and the request as it came, its headers in the order
/// of their names.
fn whoami(object: &Object, asked: &Asked<'_>) -> String {
    let pod_ip = object.pod().and_then(|pod| pod.status.pod_ip);
    let pod_ip = pod_ip.map(|ip| format!("IP: {ip}\n")).unwrap_or_default();
    let mut text = format!(
        "Hostname: {}\nIP: 127.0.0.1\nIP: ::1\n{pod_ip}RemoteAddr: {}\n{} {} HTTP/1.1\nHost: {}\nUser-Agent: {}\n",
        object.meta.name, asked.source, asked.method, asked.path, asked.host, asked.agent
    );
    let all = asked.headers.with("Accept", asked.headers.get("Accept").unwrap_or("*/*"));
    let named = all.iter().map(|(name, value)| format!("{}: {value}\n", canonical(name)));
    let mut lines: Vec<String> = named.collect();
    order::sort(&mut lines);
    text.extend(lines);
    text.push('\n');
    text.push_str(asked.body);
    text
}

/// `X-Real-IP` as Go writes it: `X-Real-Ip`.
fn canonical(name: &str) -> String {
    let parts = name.split('-').map(|part| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    });
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PodSpec;
    use serde_json::json;

    fn container(image: &str, command: &[&str], ports: &[u16]) -> Container {
        let ports: Vec<_> = ports.iter().map(|port| json!({"containerPort": port})).collect();
        let one = json!({"name": "c", "image": image, "command": command, "ports": ports});
        PodSpec::from_value(json!({"containers": [one]})).containers.remove(0)
    }

    #[test]
    fn an_image_listens_where_it_listens_whatever_the_manifest_says() {
        type Case = (&'static str, &'static [&'static str], &'static [u16], u16, bool);
        let cases: [Case; 13] = [
            ("nginx", &[], &[8080], 80, true),
            ("nginx", &[], &[8080], 8080, false),
            ("nginx", &["nginx", "-g", "daemon off;"], &[], 80, true),
            ("redis:7", &["redis-server", "--port", "7000"], &[], 7000, true),
            ("redis:7", &["redis-server", "--port", "7000"], &[], 6379, false),
            ("busybox", &["sleep", "3600"], &[80], 80, false),
            ("me/app:1", &[], &[], 8080, true),
            ("me/app:1", &["./app"], &[9000], 8080, false),
            ("hashicorp/http-echo", &["-listen=:8080", "-text", "hi"], &[], 8080, true),
            ("hashicorp/http-echo", &["-listen=:8080", "-text", "hi"], &[], 5678, false),
            ("registry.k8s.io/e2e-test-images/agnhost:2.53", &["netexec"], &[], 8080, true),
            ("registry.k8s.io/e2e-test-images/agnhost:2.53", &["liveness"], &[], 8080, true),
            ("python:3.12", &["sh", "-c", "sleep 9"], &[8000], 8000, true),
        ];
        for (image, command, ports, port, expected) in cases {
            let container = container(image, command, ports);
            assert_eq!(listens_on(&container, port), expected, "{image} {command:?} {port}");
        }
    }
}
