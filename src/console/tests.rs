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
    let times: Vec<&str> = said.lines().filter(|line| line.ends_with("+0000")).collect();
    let minutes: Vec<&str> = times.iter().filter_map(|line| line.get(20..25)).collect();
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
fn an_endless_loop_comes_to_an_end_where_nobody_looks() {
    let text =
        "$ while true; do echo y; done | head -2\n$ while true; do true; done\n$ echo after\n";
    assert!(session(text).ends_with("$ echo after\nafter\n"));
}
