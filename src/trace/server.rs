//! What answers a request: the processes in containers, and those of nodes.
//!
//! Simplified: images that courses use answer as they really do, all others with a line that names
//! the pod.

use crate::api::pod::Container;
use crate::api::pod::ContainerState;
use crate::api::{Object, Pod};
use crate::base::{SimTime, order};
use crate::kubelet::listens_on;
use crate::net::Protocol;
use crate::net::packet::Endpoint;
use crate::trace::request::Headers;
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

/// The container of a pod that listens on a port and runs.
pub fn listener(pod: &Pod, port: u16) -> Option<&Container> {
    let running = |place: usize| {
        let status = pod.status.containers.get(place);
        status.is_some_and(|status| matches!(status.state, ContainerState::Running { .. }))
    };
    let containers = pod.spec.containers.iter().enumerate();
    let mut containers = containers.filter(|(place, _)| running(*place));
    let found = containers.find(|(_, container)| listens_on(container, port));
    found.map(|(_, container)| container)
}

/// What a container answers.
pub fn respond(object: &Object, container: &Container, asked: &Asked<'_>) -> Response {
    if asked.protocol != Protocol::Tcp {
        return Response { status: 0, body: Arc::from("") };
    }
    let name = &*object.meta.name;
    let path = asked.path.split('?').next().unwrap_or_default();
    let home = matches!(path, "/" | "/index.html");
    match name_of(&container.image) {
        "nginx" if asked.method == "POST" => Response::http(405, &nginx_page(405)),
        "nginx" if home => Response::http(200, NGINX),
        "nginx" => Response::http(404, &nginx_page(404)),
        "httpd" if home => Response::http(200, "<html><body><h1>It works!</h1></body></html>\n"),
        "httpd" => Response::http(404, HTTPD_404),
        "hello-app" => Response::http(200, &hello(container, name)),
        "http-echo" if path == "/health" => Response::http(200, "{\"status\":\"ok\"}\n"),
        "http-echo" => Response::http(200, &format!("{}\n", echo_text(container))),
        "agnhost" | "netexec" | "serve-hostname" => agnhost(path, name, container, asked),
        "whoami" => Response::http(200, &whoami(object, asked)),
        "mongo" => Response::http(200, MONGO),
        "redis" | "valkey" | "postgres" | "mysql" | "mariadb" | "memcached" | "rabbitmq" => {
            Response { status: 0, body: Arc::from("") }
        }
        _ => Response::http(200, &format!("{name}\n")),
    }
}

/// `nginx` of `docker.io/library/nginx:1.27`.
fn name_of(image: &str) -> &str {
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

/// Whether a server that speaks no HTTP answers to it with words of its own, and does not just
/// hang up.
pub fn says_something(image: &str) -> bool {
    matches!(name_of(image), "mysql" | "mariadb" | "memcached" | "rabbitmq")
}

const MONGO: &str =
    "It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n";

const NGINX: &str = "<!DOCTYPE html>
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

/// The subcommands of agnhost that courses use.
fn agnhost(path: &str, pod: &str, container: &Container, asked: &Asked<'_>) -> Response {
    if container.command.iter().any(|word| word == "serve-hostname") {
        return Response::http(200, pod);
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
