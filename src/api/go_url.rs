//! URLs as Go reads them.
//!
//! Models Go's net/url/url.go Parse and ParseRequestURI.

use super::error::go_quote;

/// A URL's parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Url<'a> {
    /// `https`; empty if there is none. As it was written.
    pub(super) scheme: &'a str,
    /// Who asks, in front of an `@`.
    pub(super) user: Option<&'a str>,
    /// The host with its port.
    pub(super) host: &'a str,
    /// What comes after `?`.
    pub(super) query: &'a str,
    /// What comes after `#`.
    pub(super) fragment: &'a str,
}

impl<'a> Url<'a> {
    /// Reads a URL.
    ///
    /// # Errors
    /// `parse "…": …` in Go's words.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let (whole, fragment) = text.split_once('#').unwrap_or((text, ""));
        let read = Url::read(whole, false).and_then(|url| escapes(fragment).map(|()| url));
        let shown = if read.is_ok() { text } else { whole };
        match read {
            Ok(url) => Ok(Url { fragment, ..url }),
            Err(why) => Err(format!("parse {}: {why}", go_quote(shown))),
        }
    }

    /// Whether a text is an absolute URI or a path from the root.
    pub(super) fn is_request(text: &str) -> bool {
        !text.is_empty() && Url::read(text, true).is_ok()
    }

    fn read(text: &'a str, request: bool) -> Result<Self, String> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let (scheme, rest) = scheme(text)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut url = Url { scheme, query, ..Url::default() };
        if !rest.starts_with('/') {
            let segment = rest.split('/').next().unwrap_or_default();
            return match (scheme, request) {
                ("", true) => Err("invalid URI for request".to_owned()),
                ("", false) if segment.contains(':') => {
                    Err("first path segment in URL cannot contain colon".to_owned())
                }
                ("", false) => escapes(rest).map(|()| url),
                _ => Ok(url),
            };
        }
        let mut path = rest;
        let has_authority = !scheme.is_empty() || (!request && !rest.starts_with("///"));
        if let Some(rest) = rest.strip_prefix("//").filter(|_| has_authority) {
            let (authority, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = match authority.rsplit_once('@') {
                Some((user, host)) => {
                    url.user = Some(user);
                    host
                }
                None => authority,
            };
            check_host(host)?;
            if url.user.is_some_and(|user| !user.bytes().all(is_of_user)) {
                return Err("net/url: invalid userinfo".to_owned());
            }
            (url.host, path) = (host, rest);
        }
        escapes(path).map(|()| url)
    }
}

/// Models getScheme.
fn scheme(text: &str) -> Result<(&str, &str), String> {
    for (place, letter) in text.char_indices() {
        match letter {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if place > 0 => {}
            ':' if place == 0 => return Err("missing protocol scheme".to_owned()),
            ':' => return Ok(text.split_once(':').unwrap_or(("", text))),
            _ => break,
        }
    }
    Ok(("", text))
}

/// Models parseHost, validOptionalPort and unescape of a host.
fn check_host(host: &str) -> Result<(), String> {
    let port = if host.starts_with('[') {
        let (_, after) = host.rsplit_once(']').ok_or("missing ']' in host")?;
        after
    } else {
        host.rfind(':').and_then(|at| host.get(at..)).unwrap_or_default()
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    if !port.is_empty()
        && (!port.starts_with(':') || !digits.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(format!("invalid port {} after host", go_quote(port)));
    }
    escapes(host)?;
    let is_wrong = |letter: &char| {
        letter.is_ascii()
            && !letter.is_ascii_alphanumeric()
            && !"!$&'()*+,;=:[]<>\"-_.~%".contains(*letter)
    };
    match host.chars().find(is_wrong) {
        Some(letter) => {
            Err(format!("invalid character {} in host name", go_quote(&letter.to_string())))
        }
        None => Ok(()),
    }
}

const fn is_of_user(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b':'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b'%'
                | b'@'
        )
}

/// Whether each `%` is followed by two digits of base 16.
fn escapes(text: &str) -> Result<(), String> {
    for (place, _) in text.match_indices('%') {
        let after = text.get(place + 1..).unwrap_or_default();
        let digits: Vec<char> = after.chars().take(2).collect();
        if digits.len() < 2 || !digits.iter().all(char::is_ascii_hexdigit) {
            let shown: String = core::iter::once('%').chain(digits).collect();
            return Err(format!("invalid URL escape {}", go_quote(&shown)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_fall_into_their_parts() {
        let url = Url::parse("https://me@host:443/a?b=c#d").unwrap();
        let parts = (url.scheme, url.user, url.host, url.query, url.fragment);
        assert_eq!(parts, ("https", Some("me"), "host:443", "b=c", "d"));
        assert_eq!(Url::parse("").unwrap(), Url::default());
    }

    #[test]
    fn what_is_no_url_is_refused_in_the_words_of_go() {
        for (text, why) in [
            (":x", "missing protocol scheme"),
            ("a b:c", "first path segment in URL cannot contain colon"),
            ("https://a b/", "invalid character \" \" in host name"),
            ("https://a:b/", "invalid port \":b\" after host"),
            ("https://[::1", "missing ']' in host"),
            ("https://a/%zz", "invalid URL escape \"%zz\""),
            ("a\u{1}", "net/url: invalid control character in URL"),
        ] {
            assert_eq!(Url::parse(text), Err(format!("parse {}: {why}", go_quote(text))));
        }
    }

    #[test]
    fn a_request_needs_a_scheme_or_a_path_from_the_root() {
        for (text, is_one) in [
            ("http://foo.bar?x=y", true),
            ("/a", true),
            ("urn:a", true),
            ("a", false),
            ("http://foo.bar#x", false),
            ("", false),
            ("http://a b", false),
        ] {
            assert_eq!(Url::is_request(text), is_one, "{text}");
        }
    }
}
