//! A node's rules as a tree: the branch that the packet took is lit and open.

use super::super::Dispatch;
use super::super::shared::Shared;
use crate::present::rule_tree::{Branch, RuleTree};
use crate::session::{Msg, TraceMsg};
use crate::text::{Lang, Text};
use std::sync::Arc;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::{Callback, Html, Properties, TargetCast, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct TreeProps {
    pub(super) lang: Lang,
    pub(super) tree: Shared<RuleTree>,
    /// The nodes there are.
    pub(super) nodes: Shared<Vec<Arc<str>>>,
    pub(super) sought: String,
}

/// The rules of a node.
#[function_component]
pub(super) fn Tree(props: &TreeProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let TreeProps { lang, tree, nodes, sought } = props;
    let typed = dispatch.reform(|event: yew::InputEvent| {
        let field = event.target_dyn_into::<HtmlInputElement>();
        Msg::Trace(TraceMsg::Seek(field.map(|field| field.value()).unwrap_or_default()))
    });
    let is_sought = !sought.trim().is_empty();
    let tell = dispatch.clone();
    let onchange = Callback::from(move |event: yew::Event| {
        if let Some(list) = event.target_dyn_into::<HtmlSelectElement>() {
            tell.emit(Msg::Trace(TraceMsg::Rules(Arc::from(list.value()))));
        }
    });
    let raw = match tree.is_iptables {
        true => format!("node run {} -- iptables-save", tree.node),
        false => format!("node run {} -- nft list ruleset", tree.node),
    };
    html! {
        <div class="tree">
            <div class="tree-head">
                <label class="field">
                    <span class="label">{ lang.t(Text::RulesOfNode) }</span>
                    <select {onchange}>
                        { for nodes.iter().map(|node| html! {
                            <option value={node.to_string()} selected={*node == tree.node}>{ node.to_string() }</option>
                        }) }
                    </select>
                </label>
                <span>{ lang.fill(Text::RulesCount, &[("count", &tree.count)]) }</span>
                <button class="quiet" onclick={dispatch.reform(move |_| Msg::Run(raw.clone()))}>{ lang.t(Text::RulesRaw) }</button>
            </div>
            <label class="seek"><span class="unseen">{ lang.t(Text::RulesSeek) }</span>
                <input type="search" value={sought.clone()} oninput={typed} placeholder={lang.t(Text::RulesSeek)}
                    spellcheck="false" autocomplete="off" />
            </label>
            if is_sought && tree.hooks.is_empty() {
                <p class="none" role="status">{ lang.t(Text::RulesNone) }</p>
            }
            { for tree.hooks.iter().map(|(hook, branches)| html! {
                <section key={*hook}>
                    <h3>{ *hook }</h3>
                    { for branches.iter().map(|one| branch(*lang, one, is_sought)) }
                </section>
            }) }
        </div>
    }
}

fn branch(lang: Lang, it: &Branch, is_sought: bool) -> Html {
    html! {
        <details class="chain" open={it.is_lit || is_sought} data-lit={it.is_lit.then_some("")}>
            <summary><code>{ it.chain.clone() }</code><small>{ it.table }</small></summary>
            <ul>
                { for it.rules.iter().map(|twig| html! {
                    <li data-lit={twig.is_lit.then_some("")}>
                        <code>{ twig.text.clone() }</code>
                        if let Some(next) = &twig.leads_to {
                            { branch(lang, next, is_sought) }
                        }
                    </li>
                }) }
                if it.hidden > 0 {
                    <li class="more">{ lang.fill(Text::RulesMore, &[("count", &it.hidden)]) }</li>
                }
            </ul>
        </details>
    }
}
