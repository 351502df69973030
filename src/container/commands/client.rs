//! Clients of databases, as far as probes and curious people use them.
//!
//! Simplified: whether the server in their own container runs is all they find out.

use super::{Call, Ran};

pub(super) fn run(call: &mut Call<'_, '_>) -> Ran {
    let is_up = call.ground.is_serving;
    let says = |word: &str| call.arguments.iter().any(|it| it.eq_ignore_ascii_case(word));
    let (well, down, code) = match call.name {
        "redis-cli" | "valkey-cli" if says("ping") => {
            ("PONG", "Could not connect to Redis at 127.0.0.1:6379: Connection refused", 1)
        }
        "pg_isready" => (
            "/var/run/postgresql:5432 - accepting connections",
            "/var/run/postgresql:5432 - no response",
            2,
        ),
        "mysqladmin" | "mariadb-admin" if says("ping") => {
            ("mysqld is alive", "connect to server at 'localhost' failed", 1)
        }
        "mongosh" | "mongo" => {
            ("{ ok: 1 }", "MongoNetworkError: connect ECONNREFUSED 127.0.0.1:27017", 1)
        }
        "rabbitmq-diagnostics" | "rabbitmqctl" => {
            ("Ping succeeded", "Error: unable to perform an operation on node", 69)
        }
        _ => ("", "cannot connect to the server", 1),
    };
    match is_up {
        true => {
            if !well.is_empty() {
                call.say(well);
            }
            Ran::Done(0)
        }
        false => {
            let line = format!("{down}\n");
            call.stderr.push_str(&line);
            Ran::Done(code)
        }
    }
}
