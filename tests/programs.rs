//! What curl, wget, ping and nc print, in a container and on a machine.
//!
//! Texts were taken from curl 8.14.1, GNU wget 1.21, iputils 20221126 and netcat-openbsd 1.219 on
//! Debian 12, against servers that answer, refuse and drop; those of busybox were read from its
//! networking/wget.c, ping.c and nc_bloaty.c, those of musl from its src/errno/__strerror.h.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use diorama::console::Output;
use room::Room;

/// A Service, somebody who has stopped to listen, and pods to ask from.
fn room() -> Room {
    Room::classroom(&[
        "kubectl create deployment web --image=traefik/whoami",
        "kubectl create service clusterip web --tcp=80:80 --clusterip=10.96.71.33",
        "kubectl create service clusterip idle --tcp=80:80 --clusterip=10.96.71.34",
        "kubectl run box --image=busybox:1.37 -- sleep infinity",
        "kubectl run alpine --image=alpine:3.22 -- sleep infinity",
        "kubectl run net --image=nicolaka/netshoot -- sleep infinity",
        "sleep 60",
    ])
}

#[test]
fn nc_says_whether_a_port_is_open() {
    let mut room = room();
    let open = "Connection to web (10.96.71.33) 80 port [tcp/http] succeeded!\n";
    let cases = [
        ("net", "nc -zv web 80", open, 0, 0),
        ("net", "nc -z web 80", "", 0, 0),
        (
            "net",
            "nc -zv idle 80",
            "nc: connect to idle (10.96.71.34) port 80 (tcp) failed: Connection refused\n",
            1,
            0,
        ),
        (
            "net",
            "nc -zv -w 2 web 81",
            "nc: connect to web (10.96.71.33) port 81 (tcp) timed out: Operation now in progress\n",
            1,
            2,
        ),
        (
            "net",
            "nc -zv nobody 80",
            "nc: getaddrinfo for host \"nobody\" port 80: Name does not resolve\n",
            1,
            0,
        ),
        (
            "net",
            "nc -zvu 10.96.0.10 53",
            "Connection to 10.96.0.10 53 port [udp/domain] succeeded!\n",
            0,
            0,
        ),
        ("box", "nc -zv web 80", "web (10.96.71.33:80) open\n", 0, 0),
        // With one -v busybox says nothing of a refusal.
        ("box", "nc -zv idle 80", "", 1, 0),
        (
            "box",
            "nc -zvv idle 80",
            "nc: idle (10.96.71.34:80): Connection refused\nsent 0, rcvd 0\n",
            1,
            0,
        ),
        ("box", "nc -zv -w 2 web 81", "nc: web (10.96.71.33:81): Connection timed out\n", 1, 2),
        ("alpine", "nc -zv -w 2 web 81", "nc: web (10.96.71.33:81): Operation timed out\n", 1, 2),
        ("box", "nc -zv nobody 80", "nc: bad address 'nobody'\n", 1, 0),
    ];
    for (pod, command, expected, exit, seconds) in cases {
        room.check(pod, command, (expected, exit, seconds));
    }
    let output = room.output("nc -zv nobody 80");
    let why = "nc: getaddrinfo for host \"nobody\" port 80: Name or service not known\n";
    assert_eq!((output.stderr.as_str(), output.exit), (why, 1));
}

#[test]
fn a_cluster_ip_answers_no_ping_in_any_mode() {
    let mut room = room();
    let head = "PING web.default.svc.cluster.local (10.96.71.33) 56(84) bytes of data.\n";
    let tail = "\n--- web.default.svc.cluster.local ping statistics ---\n";
    let silent =
        format!("{head}{tail}2 packets transmitted, 0 received, 100% packet loss, time 1024ms\n\n");
    room.check("net", "ping -c 2 -W 1 web", (&silent, 1, 2));
    let silent = "PING web (10.96.71.33): 56 data bytes\n\n--- web ping statistics ---\n2 packets transmitted, 0 packets received, 100% packet loss\n";
    room.check("box", "ping -c 2 web", (silent, 1, 11));
    // The other two have a rule that rejects what is for none of a Service's ports.
    for mode in ["nftables", "ipvs"] {
        room.output(&format!("proxy mode {mode}"));
        let (text, exit, _) = room.exec("net", "ping -c 2 web");
        assert!(text.contains(" icmp_seq=1 Destination Port Unreachable\n"), "{mode}: {text}");
        let end = "2 packets transmitted, 0 received, +2 errors, 100% packet loss";
        assert!(exit == 1 && text.contains(end), "{mode}: {text}");
    }
    let ip = room.output("kubectl get pod box -o jsonpath='{.status.podIP}'").stdout;
    let (text, exit, _) = room.exec("net", &format!("ping -c 1 {ip}"));
    assert!(text.contains(&format!("64 bytes from {ip}: icmp_seq=1 ttl=6")), "{text}");
    let end =
        "1 packets transmitted, 1 received, 0% packet loss, time 0ms\nrtt min/avg/max/mdev = 0.";
    assert!(exit == 0 && text.contains(end), "{text}");
    let (text, exit, _) = room.exec("alpine", &format!("ping -c 1 {ip}"));
    assert!(text.contains(&format!("64 bytes from {ip}: seq=0 ttl=6")), "{text}");
    assert_eq!(exit, 0);
}

#[test]
fn gnu_wget_says_what_it_does_and_tries_again() {
    let mut room = room();
    room.output("kubectl expose deployment web --name=np --type=NodePort --port=80");
    room.output("sleep 3");
    let port = room.output("kubectl get svc np -o jsonpath='{.spec.ports[0].nodePort}'").stdout;
    let text = |output: Output| (output.stdout + &output.stderr, output.exit);
    // The clock aside.
    let lines = |text: &str| {
        let kept = text.lines().map(|line| match line.find("2026-01-01 ") {
            Some(at) => format!("{}DATE{}", &line[..at], &line[at + 19..]),
            None => line.to_owned(),
        });
        kept.map(|line| line + "\n").collect::<String>()
    };
    let url = format!("http://172.18.0.3:{port}/");
    let (said, exit) = text(room.output(&format!("wget --spider {url}")));
    let expected = format!(
        "Spider mode enabled. Check if remote file exists.\n--DATE--  {url}\nConnecting to 172.18.0.3:{port}... connected.\nHTTP request sent, awaiting response... 200 OK\n"
    );
    assert!(exit == 0 && lines(&said).starts_with(&expected), "{said}");
    assert!(said.ends_with("Remote file exists.\n\n"), "{said}");
    let (said, exit) = text(room.output(&format!("wget -O page {url}")));
    let size = said.split("Length: ").nth(1).and_then(|rest| rest.split(' ').next());
    let size = size.unwrap_or_default();
    let expected = format!(
        "Saving to: ‘page’\n\n     0K                                                       100% 2.60M=0s\n\nDATE (2.60 MB/s) - ‘page’ saved [{size}/{size}]\n\n"
    );
    assert!(exit == 0 && lines(&said).ends_with(&expected), "{said}");
    let (said, exit) = text(room.output("wget http://nobody/"));
    let expected = "--DATE--  http://nobody/\nResolving nobody (nobody)... failed: Name or service not known.\nwget: unable to resolve host address ‘nobody’\n";
    assert_eq!((lines(&said).as_str(), exit), (expected, 4));
    let begin = room.now();
    let (said, exit) = text(room.output("wget -T 2 -t 2 http://172.18.9.9/"));
    let expected = "--DATE--  http://172.18.9.9/\nConnecting to 172.18.9.9:80... failed: Connection timed out.\nRetrying.\n\n--DATE--  (try: 2)  http://172.18.9.9/\nConnecting to 172.18.9.9:80... failed: Connection timed out.\nGiving up.\n\n";
    assert_eq!((lines(&said).as_str(), exit), (expected, 4));
    // Two seconds for each try, and one between.
    assert_eq!(room.now().since(begin).as_secs(), 5);
}

#[test]
fn busybox_wget_says_what_its_c_library_says() {
    let mut room = room();
    for (pod, why) in [("box", "Connection timed out"), ("alpine", "Operation timed out")] {
        let expected = format!("wget: can't connect to remote host (10.96.71.33): {why}\n");
        room.check(pod, "wget -qO- http://web:81", (&expected, 1, 134));
    }
    let cases = [
        (
            "wget -qO- http://idle",
            "wget: can't connect to remote host (10.96.71.34): Connection refused\n",
            0,
        ),
        ("wget -qO- -T 2 http://web:81", "wget: download timed out\n", 2),
        ("wget -qO- http://web:http/", "wget: bad port 'http'\n", 0),
        ("wget foo://web", "wget: not an http or ftp url: foo://web\n", 0),
    ];
    for (command, expected, seconds) in cases {
        room.check("box", command, (expected, 1, seconds));
    }
}

#[test]
fn curl_tells_of_its_connection_when_it_is_asked_to() {
    let mut room = room();
    let (text, exit, _) = room.exec("net", "curl -sv -o /dev/null http://web");
    let begin = "* Host web:80 was resolved.\n* IPv6: (none)\n* IPv4: 10.96.71.33\n*   Trying 10.96.71.33:80...\n* Connected to web (10.96.71.33) port 80\n* using HTTP/1.x\n> GET / HTTP/1.1\n> Host: web\n> User-Agent: curl/8.14.1\n> Accept: */*\n> \n* Request completely sent off\n< HTTP/1.1 200 OK\n";
    assert!(exit == 0 && text.starts_with(begin), "{text}");
    let (text, exit, _) = room.exec("net", "curl -v http://idle");
    let ip = room.output("kubectl get pod net -o jsonpath='{.status.podIP}'").stdout;
    let begin = format!(
        "* Host idle:80 was resolved.\n* IPv6: (none)\n* IPv4: 10.96.71.34\n*   Trying 10.96.71.34:80...\n* connect to 10.96.71.34 port 80 from {ip} port "
    );
    assert!(exit == 7 && text.starts_with(&begin), "{text}");
    let end = " failed: Connection refused\n* Failed to connect to idle port 80 after 0 ms: Could not connect to server\n* closing connection #0\ncurl: (7) Failed to connect to idle port 80 after 0 ms: Could not connect to server\n";
    assert!(text.ends_with(end), "{text}");
    let cases = [
        (
            "curl -sv -m 2 --resolve a.b:81:10.96.71.33 http://a.b:81",
            "* Added a.b:81:10.96.71.33 to DNS cache\n* Hostname a.b was found in DNS cache\n*   Trying 10.96.71.33:81...\n* Connection timed out after 2000 milliseconds\n* closing connection #0\n",
            28,
            2,
        ),
        (
            "curl -sv http://nobody",
            "* Could not resolve host: nobody\n* shutting down connection #0\n",
            6,
            0,
        ),
        // Once a second after, then two.
        (
            "curl -S --retry 2 --retry-connrefused http://idle",
            "curl: (7) Failed to connect to idle port 80 after 0 ms: Could not connect to server\nWarning: Problem : connection refused. Will retry in 1 second. 2 retries left.\ncurl: (7) Failed to connect to idle port 80 after 0 ms: Could not connect to server\nWarning: Problem : connection refused. Will retry in 2 seconds. 1 retry left.\ncurl: (7) Failed to connect to idle port 80 after 0 ms: Could not connect to server\n",
            7,
            3,
        ),
        (
            "curl -O http://idle",
            "Warning: No remote file name, uses \"curl_response\"\ncurl: (7) Failed to connect to idle port 80 after 0 ms: Could not connect to server\n",
            7,
            0,
        ),
        ("curl", "curl: try 'curl --help' or 'curl --manual' for more information\n", 2, 0),
        (
            "curl -s",
            "curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
            2,
            0,
        ),
        (
            "curl -s -o /dev/null -w '%{http_code} %{foo}' http://web",
            "200 curl: unknown --write-out variable: 'foo'\n",
            0,
            0,
        ),
    ];
    for (command, expected, exit, seconds) in cases {
        room.check("net", command, (expected, exit, seconds));
    }
}
