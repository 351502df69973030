//! `--raw`: requests to the API server by their paths.

use crate::api::error::go_quote;
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::go_text::is_uri;
use crate::world::ApiRequest;

/// Sends a request if `--raw` asks for one; `None` if it does not. What goes with it and what does
/// not is said in upstream's order: `others` are the command's own rules.
///
/// Models staging/src/k8s.io/kubectl/pkg/rawhttp/raw.go and the Validate of its callers.
pub(super) fn raw(call: &mut Call<'_>, method: &str, others: &[(bool, &str)]) -> Option<Outcome> {
    let uri = call.flags.get("raw")?.to_owned();
    let files = call.flags.list("filename");
    let is_read = method == "GET";
    let is_one = files.len() == 1 || (method == "DELETE" && files.is_empty());
    let is_url = files.iter().any(|it| it.starts_with("http://") || it.starts_with("https://"));
    let rules = [
        (!is_read && !is_one, "--raw can only use a single local file or stdin"),
        (!is_read && is_url, "--raw cannot read from a url"),
        (!is_read && call.flags.on("recursive"), "--raw and --recursive are mutually exclusive"),
    ];
    let has_output = call.flags.get("output").is_some();
    let last = [(has_output, "--raw and --output are mutually exclusive")];
    let mut all = rules.iter().chain(others).chain(&last);
    if let Some((_, why)) = all.find(|(broken, _)| *broken) {
        return Some(plain(*why));
    }
    if !is_uri(&uri) {
        let uri = go_quote(&uri);
        let why = "--raw must be a valid URL path: parse";
        return Some(plain(format!("{why} {uri}: invalid URI for request")));
    }
    Some(send(call, method, &uri, files.first().map(String::as_str)))
}

fn send(call: &mut Call<'_>, method: &str, uri: &str, file: Option<&str>) -> Outcome {
    let body = match file {
        Some(file) => call.file(file).map_err(Failure::Plain)?,
        None => String::new(),
    };
    let request = ApiRequest { method, uri, body: &body, content_type: "", agent: "kubectl" };
    let response = call.world.serve(&request);
    let warnings = call.world.take_warnings();
    for warning in warnings {
        call.warn(format!("Warning: {warning}"));
    }
    match response.error {
        Some(error) => Err(error.into()),
        None => {
            call.out.push_str(&response.body);
            Ok(())
        }
    }
}
