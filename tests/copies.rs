//! `kubectl cp`, into containers and out of them.

#![cfg(not(target_arch = "wasm32"))]

mod room;

use room::Room;

fn room() -> Room {
    let mut room = Room::new();
    for line in [
        "kubectl run web --image=nginx:1.27",
        "kubectl run box --image=busybox:1.36 -- sleep infinity",
        "kubectl run who --image=traefik/whoami",
        "kubectl wait --for=condition=Ready pod --all",
        "mkdir -p site/css && echo hello > site/index.html && echo red > site/css/a.css",
    ] {
        room.done(line);
    }
    room
}

/// Models cp.go copyToPod: into a folder that is there, or as the name that is given.
#[test]
fn files_and_folders_come_into_a_container() {
    let mut room = room();
    assert_eq!(room.done("kubectl cp site/index.html web:/usr/share/nginx/html/index.html"), "");
    assert_eq!(room.done("kubectl exec web -- cat /usr/share/nginx/html/index.html"), "hello");
    assert_eq!(room.done("kubectl cp site default/box:/tmp"), "");
    assert_eq!(
        room.done("kubectl exec box -- find /tmp/site -type f"),
        "/tmp/site/css/a.css\n/tmp/site/index.html"
    );
    assert_eq!(room.done("kubectl cp site box:/tmp/other -c box"), "");
    assert_eq!(room.done("kubectl exec box -- cat /tmp/other/css/a.css"), "red");
}

/// Models cp.go copyFromPod and untarAll; what tar says in the container goes to standard output.
#[test]
fn files_and_folders_come_out_of_a_container() {
    let mut room = room();
    room.done("kubectl exec box -- sh -c 'mkdir -p /data/in; echo 1 > /data/a; echo 2 > /data/in/b; ln -s a /data/l'");
    let text = room.done("kubectl cp box:/data/a copy.txt && cat copy.txt");
    assert_eq!(text, "tar: removing leading '/' from member names\n1");
    let text = room.run("kubectl cp box:/data ./out; find out -type f");
    assert_eq!(
        text,
        "tar: removing leading '/' from member names\nout/a\nout/in/b\nwarning: skipping symlink: \"./out/l\" -> \"a\" (consider using \"kubectl exec -n \"\" \"box\" -- tar cf - \"/data\" | tar xf -\")\n"
    );
    let text = room.done("kubectl cp web:etc/hostname name && cat name");
    assert_eq!(text, "web");
    let text = room.done("kubectl cp web:/etc/hostname name");
    assert_eq!(text, "tar: Removing leading `/' from member names");
}

/// Texts of cp.go, and of tar as busybox and GNU have it.
#[test]
fn what_cannot_be_copied_is_refused() {
    let mut room = room();
    for (line, text) in [
        ("kubectl cp a", "error: source and destination are required\n"),
        (
            "kubectl cp :a b",
            "error: filespec must match the canonical format: [[namespace/]pod:]file/path\n",
        ),
        (
            "kubectl cp web:/a box:/b",
            "error: one of src or dest must be a local file specification\n",
        ),
        ("kubectl cp a b", "error: one of src or dest must be a remote file specification\n"),
        ("kubectl cp web: b", "error: filepath can not be empty\n"),
        ("kubectl cp nosuch web:/tmp", "error: nosuch doesn't exist in local filesystem\n"),
        ("kubectl cp nosuch:/a b", "Error from server (NotFound): pods \"nosuch\" not found\n"),
        (
            "kubectl cp box:/nosuch b",
            "tar: /nosuch: No such file or directory\ntar: error exit delayed from previous errors\ncommand terminated with exit code 1\n",
        ),
        (
            "kubectl cp web:/nosuch b",
            "tar: /nosuch: Cannot stat: No such file or directory\ntar: Exiting with failure status due to previous errors\ncommand terminated with exit code 2\n",
        ),
        (
            "kubectl cp site/index.html box:/nosuch/a",
            "tar: can't change directory to '/nosuch': No such file or directory\ncommand terminated with exit code 1\n",
        ),
    ] {
        assert_eq!(room.failed(line), text, "{line}");
    }
    let text = room.failed("kubectl cp who:/etc/hosts b");
    assert!(
        text.ends_with("exec: \"tar\": executable file not found in $PATH: unknown\n"),
        "{text}"
    );
}
