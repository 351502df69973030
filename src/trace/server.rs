//! What answers a request: the processes in containers, and those of nodes.
//!
//! Simplified: images that courses use answer as they really do, all others with a line that names
//! the pod.

use crate::api::pod::Container;
use crate::api::pod::ContainerState;
use crate::api::{Object, Pod};
use crate::kubelet::listens_on;
use crate::net::Protocol;
use std::net::IpAddr;
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
    /// The source address seen.
    pub sees: IpAddr,
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
    let image = container.image.rsplit('/').next().unwrap_or_default();
    let image = image.split([':', '@']).next().unwrap_or_default();
    let path = asked.path.split('?').next().unwrap_or_default();
    let home = matches!(path, "/" | "/index.html");
    match image {
        "nginx" if home => Response::http(200, NGINX),
        "nginx" => Response::http(404, NGINX_404),
        "httpd" if home => Response::http(200, "<html><body><h1>It works!</h1></body></html>\n"),
        "httpd" => Response::http(404, HTTPD_404),
        "hello-app" => Response::http(200, &hello(container, name)),
        "http-echo" => Response::http(200, &format!("{}\n", echo_text(container))),
        "agnhost" | "netexec" => agnhost(path, name, asked),
        "whoami" => Response::http(200, &whoami(name, asked)),
        "redis" | "valkey" | "postgres" | "mysql" | "mariadb" | "mongo" | "memcached"
        | "rabbitmq" => Response { status: 0, body: Arc::from("") },
        _ => Response::http(200, &format!("{name}\n")),
    }
}

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

/// nginx's page for a path that is not there, and the ingress controller's.
pub const NGINX_404: &str = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

/// The ingress controller's page when a Service has no endpoints.
pub const NGINX_503: &str = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

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

fn agnhost(path: &str, pod: &str, asked: &Asked<'_>) -> Response {
    match path {
        "/hostname" => Response::http(200, pod),
        "/clientip" => Response::http(200, &asked.sees.to_string()),
        "/healthz" => Response::http(200, ""),
        "/" => Response::http(200, "NOW: running"),
        _ => Response::http(404, "404 page not found\n"),
    }
}

fn whoami(pod: &str, asked: &Asked<'_>) -> String {
    format!(
        "Hostname: {pod}\nRemoteAddr: {}\nGET {} HTTP/1.1\nHost: {}\n",
        asked.sees, asked.path, asked.host
    )
}
