//! Scripts in containers: what they print, write, and end with, and when.

use super::{Command, Scene, Setting, Stage, TERM, Trees};
use crate::base::SimTime;
use core::time::Duration;

const START: SimTime = SimTime::WORLD_START;

/// One container, its image, and the disks.
struct Box_ {
    scene: Scene,
    setting: Setting,
    disks: Trees,
    now: SimTime,
}

impl Box_ {
    fn new(image: &str, shell: &str, script: &str) -> Self {
        let mut scene = Scene::new(1, START);
        let words = [shell, "-c", script].map(str::to_owned).to_vec();
        let command = Command { words, folder: "/".to_owned(), ..Command::default() };
        scene.start(0, Some(&command), START);
        let setting = Setting {
            image: image.to_owned(),
            host_name: "web-0".to_owned(),
            ..Setting::default()
        };
        let mut it = Box_ { scene, setting, disks: Trees::new(), now: START };
        it.after(0.0);
        it
    }

    /// Lets time pass.
    fn after(&mut self, seconds: f64) {
        self.now = self.now + Duration::from_secs_f64(seconds);
        let setting = self.setting.clone();
        let mut stage = Stage {
            disks: &mut self.disks,
            setting: &move |_| setting.clone(),
            first: &|_| None,
            desk: None,
        };
        self.scene.play(self.now, &mut stage);
    }

    fn log(&self) -> String {
        let log = self.scene.log(0, false).unwrap();
        log.lines().map(|(_, line)| format!("{line}\n")).collect()
    }

    /// The second at which it ended, and its code.
    fn end(&self) -> Option<(f64, i32)> {
        self.scene.end_of(0).map(|(at, code)| (at.since(START).as_secs_f64(), code))
    }

    fn file(&self, path: &str) -> Option<String> {
        let view = self.scene.view(0, &self.setting, &self.disks)?;
        view.text(path).map(|text| text.to_string())
    }

    /// What a command prints that somebody runs beside it.
    fn run(&mut self, words: &[&str]) -> (String, Option<i32>) {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let command = Command { words, folder: "/".to_owned(), ..Command::default() };
        let talk = self.scene.begin_talk(0, true, &command, self.now);
        self.after(0.0);
        match self.scene.end_talk(0, talk) {
            Some(talk) => (talk.said.stdout + &talk.said.stderr, talk.end.map(|(_, code)| code)),
            None => (String::new(), None),
        }
    }
}

#[test]
fn a_script_that_never_waits_goes_on_at_the_next_moment_and_freezes_nobody() {
    for script in [
        "while true; do :; done",
        "while true; do sleep 0; done",
        "while true; do true & wait; done",
        "while true; do echo a | cat >/dev/null; done",
        "f() { f & }; f",
        "f() { f | f & }; f; sleep 1000",
        "while true; do sleep 1000 & done",
    ] {
        let mut it = Box_::new("busybox:1.36", "sh", script);
        it.after(2.0);
        let due = it.scene.due(true);
        assert!(due.is_none_or(|due| due > it.now), "{script}");
        it.after(60.0);
    }
    let mut it = Box_::new("busybox:1.36", "sh", "while true; do date >/now; done");
    let first = it.file("/now");
    it.after(5.0);
    assert!(first.is_some() && it.file("/now") != first);
}

#[test]
fn a_script_prints_what_a_shell_would_and_ends_when_it_would() {
    type Case = (&'static str, &'static str, (f64, i32));
    let cases: [Case; 41] = [
        ("echo a; sleep 2; echo b", "a\nb\n", (2.0, 0)),
        ("for i in 2 1; do echo $i; sleep 1; done | sort", "1\n2\n", (2.0, 0)),
        (
            "(echo b; sleep 1; echo a) | grep -E '^(a|b)' | awk '{print NR $1}'",
            "1b\n2a\n",
            (1.0, 0),
        ),
        ("sleep 1 && exit 3 || echo no", "", (1.0, 3)),
        ("false && echo a || echo b", "b\n", (0.0, 0)),
        ("if [ -f /etc/passwd ]; then echo yes; else echo no; fi", "yes\n", (0.0, 0)),
        ("if false; then echo 1; elif true; then echo 2; else echo 3; fi", "2\n", (0.0, 0)),
        ("i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); sleep 1; done", "0\n1\n2\n", (3.0, 0)),
        ("for x in a 'b c'; do echo [$x]; done", "[a]\n[b c]\n", (0.0, 0)),
        ("for i in $(seq 1 3); do [ $i = 2 ] && continue; echo $i; done", "1\n3\n", (0.0, 0)),
        ("while true; do echo x; break; done; echo y", "x\ny\n", (0.0, 0)),
        ("until [ -f /tmp/x ]; do touch /tmp/x; sleep 1; done; echo ok", "ok\n", (1.0, 0)),
        ("case $(hostname) in web-*) echo web;; *) echo other;; esac", "web\n", (0.0, 0)),
        ("f() { echo $1 $#; return 4; }; f a b; echo $?", "a 2\n4\n", (0.0, 0)),
        ("(cd /tmp; pwd; X=1); pwd; echo ${X:-none}", "/tmp\n/\nnone\n", (0.0, 0)),
        ("sleep 5 & sleep 1; echo $!; wait; echo done", "7\ndone\n", (5.0, 0)),
        ("(sleep 1; exit 6) & wait $!; echo $?", "6\n", (1.0, 0)),
        ("printf 'a\\nb\\nc\\n' | grep -v b | wc -l", "2\n", (0.0, 0)),
        ("echo one two | while read a b; do echo $b-$a; done", "two-one\n", (0.0, 0)),
        (
            "printf '1\\n2\\n' > /tmp/f; while read n; do echo n$n; done < /tmp/f",
            "n1\nn2\n",
            (0.0, 0),
        ),
        ("(echo a; sleep 2; echo b) | cat", "a\nb\n", (2.0, 0)),
        ("(sleep 1; seq 5) | head -n 2", "1\n2\n", (1.0, 0)),
        ("(sleep 1; echo a:b) | cut -d : -f 2", "b\n", (1.0, 0)),
        ("(sleep 1; echo a) | sed s/a/b/ | sort -k 1", "b\n", (1.0, 0)),
        ("x=$(sleep 1; echo late); echo $x", "late\n", (1.0, 0)),
        ("set -e; false; echo never", "", (0.0, 1)),
        ("set -e; if false; then :; fi; false || true; echo here", "here\n", (0.0, 0)),
        ("set -u; echo $NONE; echo never", "sh: NONE: parameter not set\n", (0.0, 2)),
        ("set -x; echo hi", "+ echo hi\nhi\n", (0.0, 0)),
        ("trap 'echo bye' EXIT; echo hi; exit 5", "hi\nbye\n", (0.0, 5)),
        ("exec sleep 3; echo never", "", (3.0, 0)),
        ("cat <<EOF\nhost $(hostname)\nEOF\necho end", "host web-0\nend\n", (0.0, 0)),
        ("sh -c 'exit 9'; echo $?", "9\n", (0.0, 0)),
        ("echo 'echo in $1; exit 2' > /tmp/s; sh /tmp/s here; echo $?", "in here\n2\n", (0.0, 0)),
        ("nosuch; echo $?", "sh: nosuch: not found\n127\n", (0.0, 0)),
        ("cat /nope", "cat: can't open '/nope': No such file or directory\n", (0.0, 1)),
        ("echo hi > /no/such", "sh: can't create /no/such: nonexistent directory\n", (0.0, 1)),
        ("date; date +%s", "Thu Jan  1 00:00:00 UTC 2026\n1767225600\n", (0.0, 0)),
        (
            "if true; then echo",
            "sh: syntax error: unexpected end of file (expecting \"fi\")\n",
            (0.0, 2),
        ),
        ("A=1 env | grep ^A; echo ${A:-unset}", "A=1\nunset\n", (0.0, 0)),
        (
            "echo a > /tmp/1.txt; echo b > /tmp/2.txt; cat /tmp/*.txt; ls /tmp",
            "a\nb\n1.txt\n2.txt\n",
            (0.0, 0),
        ),
    ];
    for (script, log, end) in cases {
        let mut it = Box_::new("busybox:1.36", "sh", script);
        it.after(60.0);
        assert_eq!((it.log().as_str(), it.end()), (log, Some(end)), "{script}");
    }
}

#[test]
fn each_shell_and_each_family_of_tools_complains_in_its_own_words() {
    let cases = [
        ("busybox", "sh", "foo", "sh: foo: not found\n"),
        ("debian", "sh", "foo", "sh: 1: foo: not found\n"),
        ("debian", "bash", "foo", "bash: line 1: foo: command not found\n"),
        ("busybox", "sh", "cat /x", "cat: can't open '/x': No such file or directory\n"),
        ("nginx", "sh", "cat /x", "cat: /x: No such file or directory\n"),
        ("busybox", "sh", "ls /x", "ls: /x: No such file or directory\n"),
        ("nginx", "sh", "ls /x", "ls: cannot access '/x': No such file or directory\n"),
        ("busybox", "sh", "rm /x", "rm: can't remove '/x': No such file or directory\n"),
        ("nginx", "sh", "rm /x", "rm: cannot remove '/x': No such file or directory\n"),
        ("busybox", "sh", "cat < /x", "sh: can't open /x: no such file\n"),
        ("debian", "sh", "echo > /x/y", "sh: 1: cannot create /x/y: Directory nonexistent\n"),
        ("debian", "sh", "echo -e 'a\\tb'", "-e a\tb\n"),
        ("busybox", "sh", "echo -e 'a\\tb'", "a\tb\n"),
    ];
    for (image, shell, script, log) in cases {
        assert_eq!(Box_::new(image, shell, script).log(), log, "{image} {shell}: {script}");
    }
}

#[test]
fn files_come_and_go_with_the_time() {
    let script = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600";
    let mut it = Box_::new("busybox", "sh", script);
    assert_eq!(it.run(&["cat", "/tmp/healthy"]), (String::new(), Some(0)));
    it.after(29.9);
    assert_eq!(it.run(&["test", "-f", "/tmp/healthy"]), (String::new(), Some(0)));
    it.after(0.2);
    let gone = "cat: can't open '/tmp/healthy': No such file or directory\n".to_owned();
    assert_eq!(it.run(&["cat", "/tmp/healthy"]), (gone, Some(1)));
}

#[test]
fn files_are_changed_as_their_programs_say() {
    let cases = [
        ("echo a > /tmp/f; echo b >> /tmp/f", "/tmp/f", Some("a\nb\n")),
        ("echo a > /tmp/f; mv /tmp/f /tmp/g", "/tmp/f", None),
        ("echo a > /tmp/f; mv /tmp/f /tmp/g", "/tmp/g", Some("a\n")),
        ("mkdir -p /d/e; echo a > /d/e/f; cp -r /d /c", "/c/e/f", Some("a\n")),
        ("mkdir /d; echo a > /d/f; rm -r /d", "/d/f", None),
        ("echo x | tee /tmp/a > /tmp/b", "/tmp/a", Some("x\n")),
        ("rm /etc/passwd", "/etc/passwd", None),
        (
            "sed -i s/root/admin/ /etc/passwd; cp /etc/passwd /p; grep -c admin /p > /n",
            "/n",
            Some("1\n"),
        ),
        ("ln -s /etc/passwd /l; [ -L /l ] && echo link > /k", "/k", Some("link\n")),
        ("echo a > /dev/null", "/dev/null", Some("")),
    ];
    for (script, path, text) in cases {
        let it = Box_::new("busybox", "sh", script);
        assert_eq!(it.file(path).as_deref(), text, "{script}: {}", it.log());
    }
}

#[test]
fn the_first_process_hears_only_what_it_listens_for() {
    // Script, when the signal comes, and when and how it ends; not at all without.
    let cases = [
        ("sleep 1000", 1.0, None),
        ("while true; do sleep 1; done", 1.0, None),
        ("trap 'echo bye; exit 7' TERM; while true; do sleep 1; done", 1.5, Some((2.0, 7))),
        ("trap 'exit 0' TERM; sleep 900", 1.0, Some((900.0, 0))),
        ("trap 'exit 0' TERM; sleep 1000 & wait", 1.5, Some((1.5, 0))),
        ("trap '' TERM; sleep 3; exit 2", 1.0, Some((3.0, 2))),
        ("echo start; exec httpd -f -p 80", 1.0, None),
    ];
    for (script, at, end) in cases {
        let mut it = Box_::new("busybox", "sh", script);
        it.after(at);
        it.scene.signal(0, TERM, it.now);
        it.after(998.0);
        assert_eq!(it.end(), end, "{script}");
    }
    // nginx takes the shell's place, and heeds the signal.
    let mut it = Box_::new("nginx", "sh", "echo ready; nginx -g 'daemon off;'");
    it.scene.signal(0, TERM, it.now);
    assert_eq!(it.end(), Some((0.0, 0)));
}

#[test]
fn a_person_changes_what_a_script_sees() {
    let mut it = Box_::new("busybox", "sh", "while [ ! -f /tmp/go ]; do sleep 1; done; echo went");
    it.after(10.2);
    assert_eq!(it.run(&["touch", "/tmp/go"]).1, Some(0));
    it.after(1.0);
    assert_eq!((it.log().as_str(), it.end()), ("went\n", Some((11.0, 0))));
}

#[test]
fn an_endless_loop_catches_up_and_a_busy_one_ends_no_world() {
    let mut it = Box_::new("busybox", "sh", "while true; do date +%s; sleep 10; done");
    assert_eq!(it.scene.due(true), Some(START + Duration::from_secs(10)));
    // Nobody sees it: it is put off.
    assert!(it.scene.due(false).unwrap() >= START + Duration::from_secs(3000));
    it.after(100.0);
    assert_eq!(it.log().lines().count(), 11);
    let mut busy = Box_::new("busybox", "sh", "while true; do i=$((i+1)); done");
    busy.after(5.0);
    assert_eq!(busy.end(), None);
    let deep = "f() { f; }; f";
    assert!(Box_::new("busybox", "sh", deep).end().is_some(), "{deep}");
}

#[test]
fn a_file_is_followed() {
    let script = "while true; do echo x >> /tmp/log; sleep 1; done & tail -n+1 -F /tmp/log";
    let mut it = Box_::new("busybox", "sh", script);
    it.after(4.5);
    assert!((4..=6).contains(&it.log().lines().count()), "{}", it.log());
}
