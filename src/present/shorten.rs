//! Names made to fit.

/// `text` in at most `most` characters: the middle gives way, since the end of a generated name is
/// what tells it from its siblings.
pub fn shorten(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let last_dash =
        text.rfind('-').map_or(0, |at| text.get(at..).map_or(0, |end| end.chars().count()));
    let tail = last_dash.clamp(0, 6).max(4).min(most.saturating_sub(1));
    let head = most.saturating_sub(tail + 1);
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{}…{}", start.trim_end_matches('-'), end.trim_start_matches('-'))
}

/// `text` in at most `most` characters, cut at the end.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let start: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

/// What matters in a rule as iptables-save writes it: the chain, what it asks for and where it
/// leads, without the comments. A rule in another form stays as it is.
pub fn rule(text: &str) -> String {
    let Some(rest) = text.strip_prefix("-A ") else { return text.to_owned() };
    let mut kept = String::new();
    let mut parts = rest.split(" -m comment --comment ");
    kept.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let after = match part.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').map_or("", |(_, after)| after),
            None => part.find(' ').and_then(|at| part.get(at..)).unwrap_or_default(),
        };
        kept.push_str(after);
    }
    for noise in [" -m tcp", " -m udp", " -m addrtype", " -m statistic --mode random", " -m mark"] {
        kept = kept.replace(noise, "");
    }
    kept.replacen(" -j ", " → ", 1)
}

/// A rule on two lines of at most `most` characters: what it asks for, and where it leads, which is
/// never left out. A rule in another form goes on the second line where the first is full.
pub fn rule_lines(text: &str, most: usize) -> (String, String) {
    let rule = rule(text);
    if let Some((asks, leads)) = rule.split_once(" → ") {
        let target = leads.split_once(' ').map_or(leads, |(target, _)| target);
        let whole = format!("→ {leads}");
        let leads =
            if whole.chars().count() <= most { whole } else { cut(&format!("→ {target}"), most) };
        return (cut(asks, most), leads);
    }
    if rule.chars().count() <= most {
        return (rule, String::new());
    }
    let first: String = rule.chars().take(most).collect();
    let at = first.rfind(' ').unwrap_or(first.len());
    let (first, rest) = rule.split_at(at);
    (first.to_owned(), cut(rest.trim_start(), most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_on_two_lines_always_says_where_it_leads() {
        let node_port = r#"-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web" -m tcp --dport 30080 -j KUBE-EXT-A"#;
        let reject = r#"-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "default/web has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30091 -j REJECT --reject-with icmp-port-unreachable"#;
        let cases = [
            (node_port, 40, ("KUBE-NODEPORTS -p tcp --dport 30080", "→ KUBE-EXT-A")),
            (node_port, 16, ("KUBE-NODEPORTS…", "→ KUBE-EXT-A")),
            (reject, 24, ("KUBE-EXTERNAL-SERVICES…", "→ REJECT")),
            ("tcp dport 80 accept", 24, ("tcp dport 80 accept", "")),
            (
                "ip daddr . meta l4proto vmap @service-ips",
                24,
                ("ip daddr . meta l4proto", "vmap @service-ips"),
            ),
        ];
        for (text, most, (asks, leads)) in cases {
            assert_eq!(rule_lines(text, most), (asks.to_owned(), leads.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_end_of_a_generated_name_stays() {
        let cases = [
            ("web", 12, "web"),
            ("web-7d7fc96576-2gg46", 14, "web-7d7…2gg46"),
            ("web-7d7fc96576-2gg46", 10, "web…2gg46"),
            ("mariadb-0", 8, "mar…db-0"),
        ];
        for (name, most, short) in cases {
            assert_eq!(shorten(name, most), short);
        }
    }

    #[test]
    fn a_rule_keeps_what_it_asks_for_and_where_it_leads() {
        let cases = [
            (
                r#"-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web" -m tcp --dport 30080 -j KUBE-EXT-A"#,
                "KUBE-NODEPORTS -p tcp --dport 30080 → KUBE-EXT-A",
            ),
            (
                "-A KUBE-SVC-A -m comment --comment default/web:http -m statistic --mode random --probability 0.5 -j KUBE-SEP-B",
                "KUBE-SVC-A --probability 0.5 → KUBE-SEP-B",
            ),
            ("tcp dport 80 accept", "tcp dport 80 accept"),
        ];
        for (text, short) in cases {
            assert_eq!(rule(text), short);
        }
    }
}
