//! A cluster with a console, for tests that type and look.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use diorama::console::Console;
use diorama::world::{ClusterConfig, World};

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
        let config = ClusterConfig { gateway_api: true, ..ClusterConfig::classroom() };
        let mut world = World::new(config, 7);
        world.run_for(core::time::Duration::from_secs(60));
        Room { world, console: Console::new() }
    }

    /// What a command prints that must go well.
    pub(crate) fn done(&mut self, line: &str) -> String {
        let output = self.console.execute(&mut self.world, line, None);
        if output.exit != 0 {
            panic!("{line}: {}{}", output.stdout, output.stderr);
        }
        output.stdout.trim_end().to_owned()
    }

    /// What a command prints, however it ends.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let output = self.console.execute(&mut self.world, line, None);
        format!("{}{}", output.stdout, output.stderr)
    }

    /// What a command prints that must fail.
    pub(crate) fn failed(&mut self, line: &str) -> String {
        let output = self.console.execute(&mut self.world, line, None);
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
