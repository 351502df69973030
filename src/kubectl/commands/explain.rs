//! `kubectl explain`.

use crate::kubectl::call::Call;
use crate::kubectl::failure::{Outcome, plain};
use crate::kubectl::resources;

/// Says what a field is.
pub(crate) fn explain(call: &mut Call<'_>) -> Outcome {
    let Some(path) = call.args.first().cloned() else {
        return plain(
            "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.",
        );
    };
    let mut words = path.split('.');
    let kind = resources::kind_of(words.next().unwrap_or_default())?;
    let resource = kind.resource();
    if !resource.group.is_empty() {
        call.say(format!("GROUP:      {}", resource.group));
    }
    call.say(format!("KIND:       {}\nVERSION:    {}\n", resource.name, resource.version));
    plain("the descriptions of the fields are not in this model yet")
}
