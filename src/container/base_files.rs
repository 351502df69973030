//! What an image has on its disk, as far as anybody looks at it.
//!
//! Simplified: folders that all images have, a few files that courses look at, and programs as
//! `kit.rs` knows them.

use super::files::{Found, below_folder};
use super::kit::{Kit, Presence, kit_of};
use super::server;
use std::sync::Arc;

/// Folders that images have.
const FOLDERS: &str = "/ /bin /dev /dev/shm /etc /home /lib /lib64 /media /mnt /opt /proc /root /run \
    /sbin /srv /sys /tmp /usr /usr/bin /usr/lib /usr/local /usr/local/bin /usr/sbin /usr/share \
    /var /var/cache /var/lib /var/log /var/run /var/spool /var/tmp";

/// Files of one image alone: its name, path, text.
const OWN: [(&str, &str, &str); 6] = [
    ("nginx", "/usr/share/nginx/html/index.html", server::NGINX),
    ("nginx", "/usr/share/nginx/html/50x.html", server::NGINX_50X),
    ("nginx", "/etc/nginx/nginx.conf", NGINX_CONF),
    ("nginx", "/etc/nginx/conf.d/default.conf", NGINX_DEFAULT),
    ("httpd", "/usr/local/apache2/htdocs/index.html", server::HTTPD),
    (
        "httpd",
        "/usr/local/apache2/conf/httpd.conf",
        "ServerRoot \"/usr/local/apache2\"\n\nListen 80\n",
    ),
];

/// Folders of one image alone.
const OWN_FOLDERS: [(&str, &str); 9] = [
    ("nginx", "/docker-entrypoint.d"),
    ("nginx", "/var/log/nginx"),
    ("nginx", "/var/cache/nginx"),
    ("redis", "/data"),
    ("postgres", "/var/lib/postgresql/data"),
    ("mysql", "/var/lib/mysql"),
    ("mariadb", "/var/lib/mysql"),
    ("mongo", "/data/db"),
    ("httpd", "/usr/local/apache2/logs"),
];

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n";

const NGINX_CONF: &str = "
user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;

    keepalive_timeout  65;

    include /etc/nginx/conf.d/*.conf;
}
";

const NGINX_DEFAULT: &str = "server {
    listen       80;
    listen  [::]:80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
";

fn own<'a>(image: &'a str) -> impl Iterator<Item = (&'static str, &'static str)> + 'a {
    let name = server::name_of(image);
    OWN.iter().filter(move |(own, ..)| *own == name).map(|(_, path, text)| (*path, *text))
}

fn own_folders<'a>(image: &'a str) -> impl Iterator<Item = &'static str> + 'a {
    let name = server::name_of(image);
    OWN_FOLDERS.iter().filter(move |(own, _)| *own == name).map(|(_, path)| *path)
}

/// What an image has at a normal path.
pub(super) fn find(image: &str, path: &str) -> Option<Found> {
    let file = |text: &str, executable| Found::File {
        text: Arc::new(text.to_owned()),
        modified: None,
        executable,
    };
    if let Some((_, text)) = own(image).find(|(own, _)| *own == path) {
        return Some(file(text, false));
    }
    match path {
        "/etc/passwd" => return Some(file(PASSWD, false)),
        "/etc/os-release" => return os_release(image).map(|text| file(text, false)),
        "/dev/null"
        | "/dev/zero"
        | "/dev/stdout"
        | "/dev/stderr"
        | "/dev/random"
        | "/dev/urandom"
        | "/dev/termination-log" => return Some(file("", false)),
        _ => {}
    }
    let is_above = |deeper: &str| below_folder(deeper, path).is_some();
    let is_folder = FOLDERS.split_whitespace().any(|folder| folder == path)
        || own(image).any(|(own, _)| is_above(own))
        || own_folders(image).any(is_above);
    if is_folder {
        return Some(Found::Folder { modified: None });
    }
    let (folder, name) = super::files::split(path);
    let is_bin = matches!(folder, "/bin" | "/usr/bin" | "/sbin" | "/usr/sbin" | "/usr/local/bin");
    let is_program = is_bin && kit_of(image).has(name) == Presence::Yes;
    is_program.then(|| file("", true))
}

/// The names that an image has in a folder, but not its programs.
pub(super) fn names(image: &str, folder: &str) -> Vec<String> {
    let folders = FOLDERS.split_whitespace().chain(own_folders(image));
    let all = folders.chain(own(image).map(|(path, _)| path)).chain(["/etc/passwd", "/dev/null"]);
    all.filter_map(|path| below_folder(path, folder)).map(str::to_owned).collect()
}

fn os_release(image: &str) -> Option<&'static str> {
    let kit = kit_of(image);
    let name = server::name_of(image);
    match () {
        () if kit.is_unknown || name == "busybox" || kit == Kit::default() => None,
        () if kit.busybox => Some(
            "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.2\nPRETTY_NAME=\"Alpine Linux v3.22\"\n",
        ),
        () if name == "ubuntu" => Some(
            "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\n",
        ),
        () => Some(
            "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\nID=debian\n",
        ),
    }
}

/// Whether who is not root may write there.
pub(super) fn is_for_everybody(path: &str) -> bool {
    ["/tmp", "/var/tmp", "/dev"].iter().any(|folder| below_folder(path, folder).is_some())
}

/// Whether what is written there is gone.
pub(super) fn swallows(path: &str) -> bool {
    matches!(path, "/dev/null" | "/dev/zero")
}
