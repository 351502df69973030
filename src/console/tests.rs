use super::*;
use crate::world::ClusterConfig;

fn session(text: &str) -> String {
    let mut world = World::new(ClusterConfig::default(), 1);
    transcript(&mut world, &mut Console::new(), text)
}

#[test]
fn commands_are_joined_as_in_a_shell() {
    let text = "$ echo a && false && echo b || echo c; echo 'd;e' | grep d | wc -l\n";
    assert_eq!(session(text), format!("{text}a\nc\n1\n"));
}

#[test]
fn files_are_written_and_read() {
    let text = "$ cat > a.yaml <<EOF\nx: 1\nEOF\n$ cat a.yaml\n$ rm a.yaml; cat a.yaml\n";
    let wanted = "$ cat > a.yaml <<EOF\nx: 1\nEOF\n$ cat a.yaml\nx: 1\n$ rm a.yaml; cat a.yaml\ncat: a.yaml: No such file or directory\n[exit 1]\n";
    assert_eq!(session(text), wanted);
}

#[test]
fn unknown_words_end_with_127() {
    assert_eq!(
        session("$ frobnicate\n"),
        "$ frobnicate\nbash: frobnicate: command not found\n[exit 127]\n"
    );
}

#[test]
fn variables_loops_and_substitutions_are_those_of_a_shell() {
    let cases = [
        ("A=1; B=\"$A 2\"; echo $A \"$B\" '$A' ${A}x ${C:-none}", "1 1 2 $A 1x none\n"),
        ("for i in {1..3} x; do echo -n $i; done; echo", "123x\n"),
        ("for f in $(seq 2); do for g in a b; do echo $f$g; done; done", "1a\n1b\n2a\n2b\n"),
        ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done | tail -1", "3\n"),
        ("for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; echo $i; done", "1\n3\n"),
        ("until false; do echo once; break; done", "once\n"),
        ("if false; then echo a; elif true; then echo b; else echo c; fi", "b\n"),
        ("! true; echo $?; ! false; echo $?", "1\n0\n"),
        ("{ echo a; echo b; } | wc -l; (echo c) > f; cat f", "2\nc\n"),
        ("echo `echo a b` \"$(printf 'x\\ny\\n')\" $(printf 'x\\ny\\n')", "a b x\ny x y\n"),
        ("cat <<EOF\n$HOME $((2*(3+4)))\nEOF", "/home/student 14\n"),
        ("cat <<'EOF'\n$HOME\nEOF", "$HOME\n"),
        ("cat <<< 'one line'", "one line\n"),
        ("echo a > x.txt; echo b >> x.txt; ls *.txt; cat x.txt; ls *.md", "x.txt\na\nb\n"),
        (
            "mkdir -p d/e; cd d; echo 1 > e/f; ls e; pwd; cd ..; cat d/e/f",
            "f\n/home/student/d\n1\n",
        ),
        ("echo x 2>&1 >/dev/null | wc -l; nosuch 2>&1 | wc -l", "0\n1\n"),
        ("X=1 env | grep X=; echo [$X]", "X=1\n[]\n"),
        ("alias e='echo -n'; e a; e b; echo", "ab\n"),
        ("echo a b c | xargs -n1 echo -; seq 3 | xargs", "- a\n- b\n- c\n1 2 3\n"),
        ("false | true; echo $?; true && echo $? || echo no", "0\n0\n"),
        ("f() { local x=$1; echo \"$x of $#\"; return 3; }; f a b; echo $?", "a of 2\n3\n"),
        ("case web-1 in db*) echo db;; web-[0-9]) echo web;; esac", "web\n"),
        ("printf 'a 1\\nb 2\\n' | while read name n; do echo $n-$name; done", "1-a\n2-b\n"),
        ("A=1; (A=2; cd /tmp; echo $A $PWD); echo $A $PWD", "2 /tmp\n1 /home/student\n"),
        ("A=1; B=2; export B; bash -c 'echo [$A] [$B]'", "[] [2]\n"),
        (
            "while IFS=: read user x id; do echo $user $id; done < /etc/passwd | tail -1",
            "student 1000:1000::/home/student:/bin/bash\n",
        ),
        ("echo 'echo $0 $1; exit 4' > s.sh; bash s.sh x; echo $?", "s.sh x\n4\n"),
        ("set -- a 'b c'; for i; do echo $i; done; echo ${1}${2#b }", "a\nb c\nac\n"),
        ("P=/x/y.tar.gz; echo ${P##*/} ${P%%.*} ${#P} ${NONE:=d}$NONE", "y.tar.gz /x/y 11 dd\n"),
        ("i=0; while ((i < 3)); do ((i++)); done; echo $i $((i * 7 % 5))", "3 1\n"),
        ("echo {a,b}{1..2} '{1..3}'", "a1 a2 b1 b2 {1..3}\n"),
        ("i=0; kubectl get pods x-$((i++)) 2> /dev/null; echo $i", "1\n"),
        ("while true; do echo y; done | head -n 2; seq 20000 | tail -1", "y\ny\n20000\n"),
        ("trap 'echo never' EXIT; echo a", "a\n"),
        (
            "f() { echo f; }; type f k kubectl cd",
            "f is a function\nk is aliased to `kubectl'\nkubectl is /usr/bin/kubectl\ncd is a shell builtin\n",
        ),
        ("sleep 2 & echo first; wait; echo last", "first\nlast\n"),
        ("{ echo a; sleep 1; echo b; } | grep a; echo $?", "a\n0\n"),
        ("{ echo a; sleep 1; echo b; } | grep -v a; echo $?", "b\n0\n"),
        ("{ echo a; sleep 1; echo b; } | grep -q a; echo $?", "0\n"),
        ("{ echo a; sleep 1; echo b; } | grep c; echo $?", "1\n"),
        ("{ echo a 1; sleep 1; echo a 2; } | awk '$1 == last {print $2} {last = $1}'", "2\n"),
        ("whoami; [[ $USER == stu* ]] && echo yes", "student\nyes\n"),
        ("mkdir d; ls > d/x; find d -type f; cp -r d e; rm -r d; ls", "d/x\ne\n"),
    ];
    for (line, wanted) in cases {
        let mut world = World::new(ClusterConfig::default(), 1);
        let output = Console::new().execute(&mut world, line, None);
        assert_eq!(output.stdout, wanted, "{line}\n{}", output.stderr);
    }
}

#[test]
fn what_a_command_waits_for_passes_in_its_place() {
    let text = "$ date; for i in 1 2; do sleep 30; done; date | tail -1\n$ sleep 60 && date\n";
    let said = session(text);
    let times: Vec<&str> = said.lines().filter(|line| line.ends_with("UTC 2026")).collect();
    let minutes: Vec<&str> = times.iter().filter_map(|line| line.get(14..19)).collect();
    assert_eq!(minutes, ["01:00", "02:00", "03:00"], "{said}");
}

#[test]
fn the_editor_is_the_command_that_a_variable_names() {
    let text = "$ kubectl create deployment web --image=nginx:1.27\n$ EDITOR='sed -i s/nginx:1.27/nginx:1.28/' kubectl edit deploy web\n$ EDITOR=true kubectl edit deploy web\n$ kubectl get deploy web -o jsonpath='{..image}{\"\\n\"}'\n$ kubectl edit deploy web\n";
    let said = session(text);
    for line in [
        "deployment.apps/web edited\n",
        "Edit cancelled, no changes made.\n",
        "nginx:1.28\n",
        "error: unable to launch the editor",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
}

#[test]
fn what_a_line_leaves_behind_is_there_for_the_next() {
    let text = "$ f() { echo \"$1 $A\"; }\n$ A=1; cd /tmp\n$ f x; pwd\n$ false\n$ echo $?\n$ (A=2; exit 3)\n$ echo $A $?\n$ nosuch\n$ set -u; echo $NONE; echo never\n$ set +u; echo [$NONE]\n$ unset -f f; f\n";
    let said = session(text);
    for part in [
        "$ f x; pwd\nx 1\n/tmp\n",
        "$ echo $?\n1\n",
        "[exit 3]\n$ echo $A $?\n1 3\n",
        "bash: nosuch: command not found\n[exit 127]\n",
        "bash: NONE: unbound variable\n",
        "$ set +u; echo [$NONE]\n[]\n",
        "bash: f: command not found\n",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(!said.contains("never\n[") && !said.contains("\nnever\n"), "{said}");
}

#[test]
fn what_is_no_script_is_said_in_bash_s_words() {
    let cases = [
        ("echo a | | b", "bash: syntax error near unexpected token `|'\n"),
        ("done", "bash: syntax error near unexpected token `done'\n"),
        ("if true; then echo", "bash: syntax error: unexpected end of file\n"),
        ("echo 'a", "bash: unexpected EOF while looking for matching `''\n"),
    ];
    for (line, wanted) in cases {
        let mut world = World::new(ClusterConfig::default(), 1);
        let output = Console::new().execute(&mut world, line, None);
        assert_eq!((output.stderr.as_str(), output.exit), (wanted, 2), "{line}");
    }
    assert!(!Console::is_whole("f() {") && Console::is_whole("f() { echo; }"));
}

#[test]
fn a_command_of_kubectl_reads_what_a_pipe_or_a_document_gives_it() {
    let text = "$ for n in a b; do kubectl create namespace $n -o yaml --dry-run=client; echo ---; done | kubectl apply -f -\n$ kubectl get ns -o name | grep -E '/(a|b)$' | while read ns; do kubectl get $ns --no-headers | awk '{print $1, $2}'; done\n$ kubectl delete ns a b --wait=false | awk '{print $2}'\n";
    let said = session(text);
    assert!(said.contains("namespace/a created\nnamespace/b created\n"), "{said}");
    assert!(said.contains("a Active\nb Active\n"), "{said}");
    assert!(said.ends_with("\"a\"\n\"b\"\n"), "{said}");
}

#[test]
fn an_endless_loop_comes_to_an_end_where_nobody_looks() {
    let text =
        "$ while true; do echo y; done | head -2\n$ while true; do true; done\n$ echo after\n";
    assert!(session(text).ends_with("$ echo after\nafter\n"));
}
