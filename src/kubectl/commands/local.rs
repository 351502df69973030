//! Commands that ask no cluster.

use crate::kubectl::call::Call;
use crate::kubectl::failure::{Outcome, plain};

/// `kubectl completion`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/completion/completion.go RunCompletion.
// Simplified: the console completes by itself, so the script that a shell reads does nothing.
pub(crate) fn completion(call: &mut Call<'_>) -> Outcome {
    let shell = match call.args.as_slice() {
        [] => return call.usage("Shell not specified."),
        [shell] => shell.clone(),
        _ => return call.usage("Too many arguments. Expected only the shell type."),
    };
    match shell.as_str() {
        "bash" | "fish" | "powershell" => call.say(format!("# {shell} completion for kubectl")),
        "zsh" => call.say("#compdef kubectl"),
        _ => return call.usage(&format!("Unsupported shell type \"{shell}\".")),
    }
    Ok(())
}

/// `kubectl alpha`.
pub(crate) fn alpha(call: &mut Call<'_>) -> Outcome {
    call.say("No alpha commands are available in this version of kubectl");
    Ok(())
}

/// `kubectl plugin list`.
pub(crate) fn plugins(_call: &mut Call<'_>) -> Outcome {
    plain("unable to find any kubectl plugins in your PATH")
}
