//! Lines that are entered, and what else the keyboard says to the commands at work.

use super::jobs::advance;
use super::model::Model;
use super::running::{Place, Running};
use crate::console::{Console, Input, Output};

/// What stands before a line of the shell: the namespace of the context says where commands go.
pub(super) fn prompt(console: &Console) -> String {
    format!("{} $ ", console.session.namespace)
}

/// Begins with a line of the console and shows it in the terminal.
pub(super) fn begin(model: &mut Model, line: &str, place: Place) {
    if line.trim() == "clear" {
        model.terminal.clear();
        return;
    }
    let entry = model.terminal.open(&prompt(&model.console), line);
    match model.console.begin(&model.world, line, None) {
        Err(output) => model.terminal.write(entry, &output),
        Ok(job) => {
            let name = line.to_owned();
            let running = Running { entry, place, name, job, seen: 0 };
            advance(model, running, Input::Time);
        }
    }
}

/// A line was entered.
pub(super) fn enter(model: &mut Model, line: String) {
    if model.world.is_being_set_up() {
        model.terminal.queue.push(line);
        return;
    }
    let front = model.terminal.front();
    if let Some(front) = front {
        if front.prompt(&model.world).is_some() {
            answer(model, line);
        } else if front.is_endless() && !front.is_editing(&model.world) {
            // Who types a command while another watches has seen enough.
            interrupt(model);
            enter(model, line);
        } else {
            model.terminal.queue.push(line);
        }
        return;
    }
    let entered = &mut model.terminal.unfinished;
    if !entered.add(&line) {
        return;
    }
    if !Console::is_whole(entered.text()) {
        entered.go_on();
        return;
    }
    let whole = entered.take();
    begin(model, &whole, Place::Front);
    take_next(model);
}

/// Carries out what was typed ahead, if nothing stands in the way any more.
pub(super) fn take_next(model: &mut Model) {
    if model.world.is_being_set_up() {
        return;
    }
    while let Some(line) = model.terminal.queue.first().cloned() {
        let front = model.terminal.front();
        if front.is_some_and(|front| front.prompt(&model.world).is_none()) {
            return;
        }
        model.terminal.queue.remove(0);
        enter(model, line);
    }
}

/// Gives a line to the command that waits for one.
fn answer(model: &mut Model, line: String) {
    let Some(mut running) = take_front(model) else { return };
    let prompt = running.prompt(&model.world).unwrap_or_default();
    running.entry = model.terminal.open(&prompt, &line);
    advance(model, running, Input::Line(line));
}

fn take_front(model: &mut Model) -> Option<Running> {
    let at = model.terminal.jobs.iter().position(Running::is_front)?;
    Some(model.terminal.jobs.remove(at))
}

/// Ctrl-C: ends the command in front, or throws the line away.
pub(super) fn interrupt(model: &mut Model) {
    model.terminal.queue.clear();
    let Some(mut running) = take_front(model) else {
        let prompt = match model.terminal.unfinished.is_empty() {
            true => prompt(&model.console),
            false => "> ".to_owned(),
        };
        model.terminal.throw_away(&prompt);
        return;
    };
    match running.prompt(&model.world) {
        Some(prompt) => {
            model.terminal.throw_away(&prompt);
            running.entry = model.terminal.entries.last().map_or(running.entry, |it| it.number);
        }
        None => {
            let mark = Output { stdout: "^C\n".to_owned(), ..Output::default() };
            model.terminal.write(running.entry, &mark);
        }
    }
    advance(model, running, Input::Interrupt);
}

/// Ctrl-D: no line comes any more for the command that waits for one.
pub(super) fn end_input(model: &mut Model) {
    let waits = model.terminal.front().is_some_and(|front| front.prompt(&model.world).is_some());
    if waits && let Some(running) = take_front(model) {
        advance(model, running, Input::End);
        take_next(model);
    }
}

/// The text in the editor was saved (or not), for the command that waits for it.
pub(super) fn edited(model: &mut Model, text: Option<String>) {
    model.editing = None;
    let world = &model.world;
    let at = model.terminal.jobs.iter().position(|running| running.is_editing(world));
    if let Some(at) = at {
        let running = model.terminal.jobs.remove(at);
        advance(model, running, Input::Text(text));
        take_next(model);
    }
}

/// Lines that were pasted at the cursor: whole ones are entered, the last stays to be typed on.
pub(super) fn paste(model: &mut Model, text: &str, cursor: usize) {
    let before = model.terminal.input.get(..cursor).unwrap_or(&model.terminal.input);
    let after = model.terminal.input.get(cursor..).unwrap_or_default();
    let text = text.replace("\r\n", "\n");
    let whole = format!("{before}{text}{after}");
    let after = after.len();
    let mut lines = whole.split('\n').peekable();
    while let Some(line) = lines.next() {
        model.terminal.input = line.to_owned();
        if lines.peek().is_some() {
            let line = model.terminal.accept();
            enter(model, line);
        }
    }
    let caret = model.terminal.input.len().saturating_sub(after);
    model.terminal.offers.clear();
    model.terminal.put_caret(caret);
}

#[cfg(test)]
mod tests {
    use super::super::jobs::tests::{model, phases, said, tick, typed};
    use super::super::{Msg, update};
    use super::*;

    #[test]
    fn nothing_goes_on_while_time_stands_still() {
        let mut model = model();
        update(&mut model, Msg::TogglePlaying);
        let now = model.world.now();
        typed(&mut model, "kubectl delete pod -l app=web");
        typed(&mut model, "kubectl get pods");
        tick(&mut model, 60);
        assert_eq!(model.world.now(), now);
        assert_eq!(phases(&model).iter().filter(|word| *word == "Terminating").count(), 3);
        assert_eq!(model.terminal.queue, ["kubectl get pods"]);
        update(&mut model, Msg::TogglePlaying);
        tick(&mut model, 60);
        assert!(model.terminal.queue.is_empty());
        assert!(said(&model, "kubectl get pods").contains("NAME"));
    }

    #[test]
    fn an_endless_loop_leaves_the_page_alive() {
        let mut model = model();
        typed(&mut model, "while true; do echo y; done");
        tick(&mut model, 5);
        assert!(model.terminal.front().is_some());
        update(&mut model, Msg::Interrupt);
        assert!(model.terminal.front().is_none());
    }

    /// A shell in a container has the prompt.
    fn in_container() -> Model {
        let mut model = model();
        typed(&mut model, "kubectl run box --image=busybox:1.36 -- sleep infinity");
        tick(&mut model, 20);
        typed(&mut model, "kubectl exec -it box -- sh");
        model
    }

    /// What stands before the line that the command in front waits for.
    fn prompt(model: &Model) -> Option<String> {
        model.terminal.front().and_then(|front| front.prompt(&model.world))
    }

    #[test]
    fn a_shell_in_a_container_takes_lines_until_it_ends() {
        let mut model = in_container();
        assert_eq!(prompt(&model).as_deref(), Some("/ # "));
        typed(&mut model, "hostname");
        assert_eq!(said(&model, "hostname"), "box\n");
        let entry = model.terminal.entries.last().unwrap();
        assert_eq!(&*entry.prompt, "/ # ");
        typed(&mut model, "nosuch; echo here");
        assert_eq!(said(&model, "nosuch; echo here"), "sh: nosuch: not found\nhere\n");
        update(&mut model, Msg::Interrupt);
        assert!(prompt(&model).is_some());
        typed(&mut model, "exit");
        assert_eq!(prompt(&model), None);
        assert!(model.terminal.front().is_none());
        // A shell dies with its container.
        typed(&mut model, "kubectl exec -it box -- sh");
        update(&mut model, Msg::Run("kubectl delete pod box --now".into()));
        tick(&mut model, 40);
        let last = said(&model, "kubectl exec -it box -- sh");
        assert_eq!(last, "command terminated with exit code 137\n");
    }

    #[test]
    fn pasted_lines_are_entered_one_after_the_other() {
        let mut model = model();
        update(&mut model, Msg::Type("kubectl ".into()));
        let text = "get nodes\nkubectl apply -f - <<EOF\nkind: Namespace\napiVersion: v1\nmetadata: {name: a}\nEOF\nkubectl get ";
        update(&mut model, Msg::Paste { text: text.into(), cursor: 8 });
        assert!(said(&model, "kubectl get nodes").contains("node-1"));
        let document =
            "kubectl apply -f - <<EOF\nkind: Namespace\napiVersion: v1\nmetadata: {name: a}\nEOF";
        assert_eq!(said(&model, document), "namespace/a created\n");
        assert_eq!(model.terminal.input, "kubectl get ");
    }

    #[test]
    fn a_command_that_is_not_whole_waits_for_its_next_line() {
        let mut model = model();
        for line in ["for n in a b; do", "echo $n", "done"] {
            typed(&mut model, line);
        }
        assert_eq!(said(&model, "for n in a b; do\necho $n\ndone"), "a\nb\n");
        typed(&mut model, "echo 'a");
        assert!(!model.terminal.unfinished.is_empty());
        update(&mut model, Msg::Interrupt);
        assert!(model.terminal.unfinished.is_empty());
    }

    #[test]
    fn an_edited_object_is_stored_when_the_editor_saves() {
        let mut model = model();
        typed(&mut model, "kubectl edit deployment web");
        let editing = model.editing.clone().unwrap();
        assert_eq!(&*editing.name, "deployment.apps/web");
        assert!(editing.text.starts_with("# Please edit the object below."), "{}", editing.text);
        let text = editing.text.replace("  replicas: 3\n", "  replicas: 4\n");
        update(&mut model, Msg::Edit(text.into()));
        update(&mut model, Msg::Apply);
        assert_eq!(said(&model, "kubectl edit deployment web"), "deployment.apps/web edited\n");
        tick(&mut model, 20);
        assert_eq!(phases(&model).len(), 4);
        typed(&mut model, "kubectl edit deployment web");
        update(&mut model, Msg::CancelEdit);
        let said = said(&model, "kubectl edit deployment web");
        assert_eq!(said, "Edit cancelled, no changes made.\n");
        assert!(model.editing.is_none() && model.terminal.front().is_none());
    }

    #[test]
    fn a_shell_in_a_container_remembers_what_was_typed() {
        let mut model = in_container();
        // What is typed, what that prints, and what stands before the next line.
        let lines = [
            ("A=1; export B=2", "", "/ # "),
            ("f() { echo \"$1 $A\"; }", "", "/ # "),
            ("cd /tmp && f x", "x 1\n", "/tmp # "),
            ("sh -c 'echo $A-$B'", "-2\n", "/tmp # "),
            ("for i in 1 2; do", "", "> "),
            ("echo $i > $i.txt", "", "> "),
            ("done; ls", "1.txt\n2.txt\n", "/tmp # "),
            ("cat > typed <<EOF", "", "> "),
            ("$A", "", "> "),
            ("EOF", "", "/tmp # "),
            ("while read line; do echo got $line; done < typed", "got 1\n", "/tmp # "),
            ("read name", "", ""),
            ("Ann", "", "/tmp # "),
            ("(name=Bob; echo $name); echo $name", "Bob\nAnn\n", "/tmp # "),
            ("echo 'a", "", "> "),
            ("b' | wc -l", "2\n", "/tmp # "),
            ("done", "sh: syntax error: unexpected \"done\"\n", "/tmp # "),
            ("echo ${NONE:?is needed}; echo never", "sh: NONE: is needed\n", "/tmp # "),
            ("case $name in A*) echo an A;; esac", "an A\n", "/tmp # "),
            ("cd; false", "", "~ # "),
            ("echo $?", "1\n", "~ # "),
        ];
        for (line, text, next) in lines {
            typed(&mut model, line);
            assert_eq!(said(&model, line), text, "{line}");
            assert_eq!(prompt(&model).as_deref(), Some(next), "{line}");
        }
        // Ctrl-C ends what the shell waits for, and not the shell.
        typed(&mut model, "sleep 1000 | cat; echo never");
        tick(&mut model, 2);
        assert_eq!(prompt(&model), None);
        update(&mut model, Msg::Interrupt);
        typed(&mut model, "echo $? $A");
        assert_eq!(said(&model, "echo $? $A"), "130 1\n");
        // What goes on beside it is heard of with the next line.
        typed(&mut model, "(sleep 3; echo late) &");
        tick(&mut model, 5);
        typed(&mut model, "exit 3");
        let text = said(&model, "exit 3");
        assert!(text.ends_with("command terminated with exit code 3\n"), "{text}");
        // Programs read what is typed, too.
        typed(&mut model, "kubectl exec -it box -- cat");
        typed(&mut model, "hello");
        assert_eq!(said(&model, "hello"), "hello\n");
        update(&mut model, Msg::EndInput);
        assert!(model.terminal.front().is_none());
    }

    #[test]
    fn the_console_reads_what_is_typed_and_remembers_it() {
        let mut model = model();
        for line in ["read name", "Ann", "greet() {", "echo hi $1", "}", "greet $name"] {
            typed(&mut model, line);
        }
        assert_eq!(said(&model, "greet $name"), "hi Ann\n");
        for line in ["cat > note", "one", "two"] {
            typed(&mut model, line);
        }
        update(&mut model, Msg::EndInput);
        typed(&mut model, "while read line; do greet $line; done < note");
        let text = said(&model, "while read line; do greet $line; done < note");
        assert_eq!(text, "hi one\nhi two\n");
        // What goes on beside has its number, and can be waited for.
        let line = "for i in 1 2; do (sleep $i; echo $i) & done; wait; echo after";
        typed(&mut model, line);
        tick(&mut model, 1);
        assert!(!said(&model, line).contains("after"), "{}", said(&model, line));
        tick(&mut model, 4);
        let text = said(&model, line);
        assert!(text.starts_with("[1] 1001\n[2] 1002\n") && text.ends_with("after\n"), "{text}");
        assert!(text.contains("\n1\n") && text.contains("\n2\n"), "{text}");
    }

    #[test]
    fn a_forwarded_port_leads_into_its_pod_until_ctrl_c() {
        let mut model = model();
        typed(&mut model, "kubectl port-forward service/web-np 8080:80 &");
        assert!(model.terminal.front().is_none());
        typed(&mut model, "curl -s localhost:8080");
        let text = said(&model, "curl -s localhost:8080");
        assert!(text.contains("Welcome to nginx!"), "{text}");
        tick(&mut model, 1);
        let log = said(&model, "kubectl port-forward service/web-np 8080:80 &");
        assert!(log.contains("Forwarding from 127.0.0.1:8080 -> 80\n"), "{log}");
        assert!(log.ends_with("Handling connection for 8080\n"), "{log}");
        typed(&mut model, "kill %1");
        typed(&mut model, "curl -sS localhost:8080");
        let text = said(&model, "curl -sS localhost:8080");
        assert!(text.contains("(7) Failed to connect to localhost port 8080"), "{text}");
    }
}
