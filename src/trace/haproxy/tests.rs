//! Files that HAProxy takes, and refuses in its own words.

use super::read;

const FILE: &str = include_str!("../../../static/samples/haproxy.cfg");

#[test]
fn the_sample_is_read_whole() {
    let (config, problems) = read(FILE);
    assert_eq!(problems, []);
    let pool = config.pool(80).map(|pool| {
        let servers = pool.servers.iter().map(|it| format!("{} {}", it.name, it.to));
        (pool.is_http, pool.retries, servers.collect::<Vec<_>>())
    });
    let servers = ["node-1 172.18.0.3:30080", "node-2 172.18.0.4:30080", "node-3 172.18.0.5:30080"];
    assert_eq!(pool, Some((false, 3, servers.map(str::to_owned).to_vec())));
}

/// Texts of haproxy/haproxy src/cfgparse.c, src/cfgparse-listen.c and src/server.c.
#[test]
fn what_is_wrong_is_said_with_its_line() {
    let cases = [
        ("backend b\n  servr a 10.0.0.1:80", "2: unknown keyword 'servr' in 'backend' section"),
        ("mode tcp", "1: unknown keyword 'mode' out of section."),
        ("global\n  foo", "2: unknown keyword 'foo' in 'global' section"),
        (
            "frontend f\n  bind *:80\n  default_backend b",
            "0: Proxy 'f': unable to find required default_backend: 'b'.",
        ),
        ("backend b\n  server a", "2: 'server' expects <name> and <addr>[:<port>] as arguments."),
        ("backend b\n  server a node-1:80", "2: 'server a' : could not resolve address 'node-1'."),
        ("backend b\n  server a 10.0.0.1:80 chek", "2: 'server a' : unknown keyword 'chek'."),
        ("listen l\n  bind *:80\n  mode udp", "3: unknown proxy mode 'udp'."),
        ("defaults\n  option nonsense", "2: unknown option 'nonsense'."),
    ];
    for (text, expected) in cases {
        let (_, problems) = read(text);
        let said: Vec<String> =
            problems.iter().map(|it| format!("{}: {}", it.line, it.message)).collect();
        assert_eq!(said, [expected], "{text}");
    }
}
