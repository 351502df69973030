//! Servers that a process becomes, or leaves behind.

use super::super::commands;
use super::super::files::normal;
use super::run::Did;
use super::{Ground, Process, Service, Wait};

impl Process {
    /// Servers run until they are stopped.
    pub(super) fn serve(
        &mut self,
        name: &str,
        arguments: &[String],
        ground: &mut Ground<'_>,
    ) -> Option<Did> {
        let whole = |folder: Option<String>| {
            Some(normal(&self.shell.folder, folder.as_deref().unwrap_or(".")))
        };
        let service = match name {
            "nginx" => return self.nginx(arguments, ground),
            "httpd" if ground.kit.busybox => {
                let ports = Some(vec![port(value(arguments, "-p"), 80)]);
                let folder = whole(value(arguments, "-h"));
                let own = Service { ports, folder, stop_code: None };
                if !arguments.iter().any(|it| it.starts_with("-f") || it.starts_with("-vf")) {
                    return Some(self.daemon(name, own, ground));
                }
                own
            }
            "nc" if serves(name, arguments) => {
                let number = arguments.iter().rev().find_map(|it| it.parse().ok());
                let ports = Some(vec![port(value(arguments, "-p"), number.unwrap_or(0))]);
                Service { ports, ..Service::default() }
            }
            "python" | "python3" if arguments.iter().any(|it| it == "http.server") => {
                let number = arguments.iter().find_map(|it| it.parse::<u16>().ok());
                let ports = Some(vec![number.unwrap_or(8000)]);
                let given = value(arguments, "--directory").or_else(|| value(arguments, "-d"));
                Service { ports, folder: whole(given), stop_code: None }
            }
            _ if ground.kit.is_all(name)
                || commands::is_server(name) && !asks_version(arguments) =>
            {
                Service { stop_code: Some(0), ..Service::default() }
            }
            _ => return None,
        };
        Some(Did::Waits(Wait::Forever(service), 0))
    }

    /// nginx is a server, unless it is told something else.
    fn nginx(&mut self, arguments: &[String], ground: &mut Ground<'_>) -> Option<Did> {
        let has = |flag: &str| arguments.iter().any(|it| it == flag);
        if has("-s") {
            let how = value(arguments, "-s").unwrap_or_default();
            if how != "reload" && how != "reopen" {
                ground.signals.push((1, super::TERM));
            }
            return Some(Did::Done(0));
        }
        if has("-t") || has("-T") {
            let text = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n";
            self.put(2, text, ground);
            return Some(Did::Done(0));
        }
        if has("-v") || has("-V") {
            let image = &ground.files.setting.image;
            let version = super::super::server::server_header(image).unwrap_or_default();
            self.put(2, &format!("nginx version: {version}\n"), ground);
            return Some(Did::Done(0));
        }
        let own = Service { stop_code: Some(0), ..Service::default() };
        match arguments.iter().any(|it| it.contains("daemon off")) {
            true => Some(Did::Waits(Wait::Forever(own), 0)),
            false => Some(self.daemon("nginx", own, ground)),
        }
    }

    /// A server that leaves the terminal at once.
    fn daemon(&mut self, name: &str, service: Service, ground: &mut Ground<'_>) -> Did {
        let pid = ground.number();
        let mut daemon = self.sibling(pid, self.at, ground.now);
        name.clone_into(&mut daemon.name);
        daemon.wait = Wait::Forever(service);
        ground.born.push(daemon);
        Did::Done(0)
    }
}

/// The value of a flag, glued to it or after it.
fn value(arguments: &[String], flag: &str) -> Option<String> {
    let mut words = arguments.iter();
    let found = words.find(|word| word.starts_with(flag))?;
    match found.strip_prefix(flag) {
        Some("") | None => words.next().cloned(),
        Some(glued) => Some(glued.trim_start_matches('=').to_owned()),
    }
}

/// A port, alone or behind an address.
fn port(text: Option<String>, usual: u16) -> u16 {
    text.and_then(|text| text.rsplit(':').next()?.parse().ok()).unwrap_or(usual)
}

/// `nc -l`.
pub(super) fn serves(name: &str, arguments: &[String]) -> bool {
    name == "nc" && arguments.iter().any(|it| it.starts_with('-') && it.contains('l'))
}

fn asks_version(arguments: &[String]) -> bool {
    arguments.iter().any(|it| matches!(it.as_str(), "--version" | "-v" | "-V" | "--help" | "-h"))
}
