//! `kubectl proxy`.

use crate::base::names::fnv64a;
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::task::{Input, Task, Wake};
use crate::pattern::{Dialect, Pattern};
use crate::programs::{Beyond, Forwarded, Gate};

/// The first of the ports that a machine gives to who asks for none, and how many there are.
const EPHEMERAL: (u16, u64) = (32_768, 28_232);

/// Opens a port of the person's own machine that leads to the API server.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/proxy/proxy.go.
// Simplified: `--www` serves nothing, and there are no sockets but ports.
pub(crate) fn proxy(call: &mut Call<'_>) -> Outcome {
    let slashed = |flag| {
        let text = call.flags.text(flag);
        if text.ends_with('/') { text.to_owned() } else { format!("{text}/") }
    };
    let filter = match call.flags.on("disable-filter") {
        true => None,
        false => Some([
            patterns(call, "accept-paths")?,
            patterns(call, "accept-hosts")?,
            patterns(call, "reject-paths")?,
            patterns(call, "reject-methods")?,
        ]),
    };
    let gate = Gate { prefix: slashed("api-prefix"), filter };
    if call.flags.given("unix-socket") {
        if call.flags.given("port") {
            return plain("cannot set --unix-socket and --port at the same time");
        }
        return plain("this model's machine has no sockets but ports");
    }
    let address = call.flags.text("address").to_owned();
    let port = call.flags.int("port")?.and_then(|port| u16::try_from(port).ok());
    let Some(port) = port else {
        let port = call.flags.text("port");
        return plain(format!("listen tcp: address {port}: invalid port"));
    };
    let local = match port {
        0 => {
            let (first, count) = EPHEMERAL;
            let drawn = fnv64a(call.world.now().as_micros(), b"proxy") % count;
            u16::try_from(drawn).map_or(first, |drawn| first.saturating_add(drawn))
        }
        port => port,
    };
    if call.session.forwards.iter().any(|one| one.local == local) {
        return plain(format!("listen tcp {address}:{local}: bind: address already in use"));
    }
    call.session.forwards.push(Forwarded { local, to: Beyond::Api(gate), connections: 0 });
    let shown = if address == "0.0.0.0" { "[::]" } else { &address };
    call.say(format!("Starting to serve on {shown}:{local}"));
    Proxy { local }.go_on(call, Input::Time)
}

/// Expressions, parted by commas.
///
/// Models proxy_server.go MakeRegexpArrayOrDie.
fn patterns(call: &Call<'_>, flag: &str) -> Result<Vec<Pattern>, Failure> {
    let text = call.flags.text(flag);
    let all = text.split(',').filter(|part| !part.is_empty());
    let read = |part: &str| {
        Pattern::new(part, Dialect::Go, false).map_err(|fault| {
            Failure::Coded(
                format!("F proxy_server.go:74] Error compiling re: {}", fault.sentence()),
                255,
            )
        })
    };
    all.map(read).collect()
}

/// A port that is open as long as the command runs.
#[derive(Debug)]
pub(crate) struct Proxy {
    local: u16,
}

impl Proxy {
    pub(crate) fn go_on(self, call: &mut Call<'_>, input: Input) -> Outcome {
        if input != Input::Interrupt {
            return call.wait_for(Wake::Always, Task::Proxy(self));
        }
        call.session.forwards.retain(|one| one.local != self.local);
        Err(Failure::Silent(130))
    }
}
