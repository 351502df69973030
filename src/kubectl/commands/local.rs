//! Commands that ask no cluster.

use crate::kubectl::call::Call;
use crate::kubectl::failure::{Outcome, plain};

const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// `kubectl kustomize`.
pub(crate) fn kustomize(call: &mut Call<'_>) -> Outcome {
    match call.args.as_slice() {
        [] => build(call, "."),
        [folder] => build(call, folder),
        _ => plain("specify one path to kustomization.yaml"),
    }
}

/// What `-k` and `kubectl kustomize` make of a folder.
// Simplified: nothing is built; what is refused is told.
pub(crate) fn build<T>(
    call: &Call<'_>,
    folder: &str,
) -> Result<T, crate::kubectl::failure::Failure> {
    let written = folder;
    let folder = call.session.resolve(folder);
    if FILES.iter().any(|name| call.session.read(&format!("{folder}/{name}")).is_some()) {
        return plain("this model builds no kustomizations; apply the manifests with -f");
    }
    if !call.session.is_folder(&folder) {
        return plain(format!(
            "must build at directory: not a valid directory: evalsymlink failure on '{written}' : lstat {folder}: no such file or directory"
        ));
    }
    plain(format!(
        "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{folder}'"
    ))
}

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
