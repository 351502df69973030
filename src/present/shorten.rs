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

#[cfg(test)]
mod tests {
    use super::*;

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
}
