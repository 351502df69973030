//! A cluster with a console, for tests that type and look.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use diorama::base::SimTime;
use diorama::console::{Console, Output};
use diorama::trace::PacketTrace;
use diorama::world::{ClusterConfig, World};
use std::sync::Arc;

/// A cluster with a console.
pub(crate) struct Room {
    world: World,
    console: Console,
}

impl Room {
    /// A cluster of the default size.
    pub(crate) fn new() -> Self {
        Room { world: World::new(ClusterConfig::default(), 3), console: Console::new() }
    }

    /// A classroom with the Gateway API and its controller.
    pub(crate) fn with_gateways() -> Self {
        Self::after_a_minute(ClusterConfig { gateway_api: true, ..ClusterConfig::classroom() })
    }

    /// A classroom in which these lines went well.
    pub(crate) fn classroom(lines: &[&str]) -> Self {
        let mut room = Self::after_a_minute(ClusterConfig::classroom());
        lines.iter().for_each(|line| drop(room.done(line)));
        room
    }

    fn after_a_minute(config: ClusterConfig) -> Self {
        let mut world = World::new(config, 7);
        world.run_for(core::time::Duration::from_secs(60));
        Room { world, console: Console::new() }
    }

    /// The present moment.
    pub(crate) fn now(&self) -> SimTime {
        self.world.now()
    }

    /// What becomes of a command.
    pub(crate) fn output(&mut self, line: &str) -> Output {
        self.console.execute(&mut self.world, line, None)
    }

    /// What a command in a pod prints on both streams, its exit code, and the seconds it took.
    pub(crate) fn exec(&mut self, pod: &str, command: &str) -> (String, i32, u64) {
        let begin = self.now();
        let output = self.output(&format!("kubectl exec {pod} -- {command}"));
        let stderr = output.stderr.lines().filter(|line| !line.starts_with("command terminated"));
        let stderr: String = stderr.map(|line| format!("{line}\n")).collect();
        (output.stdout + &stderr, output.exit, self.now().since(begin).as_secs())
    }

    /// Holds that against what is expected.
    pub(crate) fn check(&mut self, pod: &str, command: &str, expected: (&str, i32, u64)) {
        let (text, exit, seconds) = self.exec(pod, command);
        assert_eq!((text.as_str(), exit, seconds), expected, "{pod}: {command}");
    }

    /// The way of the request that a command sent last.
    pub(crate) fn trace(&mut self) -> Arc<PacketTrace> {
        self.world.take_trace().unwrap_or_else(|| panic!("no request was sent"))
    }

    /// What a command prints that must go well.
    pub(crate) fn done(&mut self, line: &str) -> String {
        let output = self.output(line);
        if output.exit != 0 {
            panic!("{line}: {}{}", output.stdout, output.stderr);
        }
        output.stdout.trim_end().to_owned()
    }

    /// What a command prints, however it ends.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let output = self.output(line);
        format!("{}{}", output.stdout, output.stderr)
    }

    /// What a command prints that must fail.
    pub(crate) fn failed(&mut self, line: &str) -> String {
        let output = self.output(line);
        if output.exit == 0 {
            panic!("{line} went well: {}", output.stdout);
        }
        format!("{}{}", output.stdout, output.stderr)
    }

    pub(crate) fn apply(&mut self, manifest: &str) {
        self.done(&format!("kubectl apply -f - <<'EOF'\n{manifest}\nEOF"));
    }

    /// One field of an object.
    pub(crate) fn field(&mut self, what: &str, path: &str) -> String {
        self.done(&format!("kubectl get {what} -o jsonpath='{{{path}}}'"))
    }

    /// Events that a field selector finds, one a line: reason, count and message.
    pub(crate) fn events(&mut self, selector: &str) -> Vec<String> {
        let path = "{range .items[*]}{.reason} x{.count}: {.message}{\"\\n\"}{end}";
        let line =
            format!("kubectl get events -A --field-selector {selector} -o jsonpath='{path}'");
        self.done(&line).lines().map(str::to_owned).collect()
    }
}
