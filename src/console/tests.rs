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
