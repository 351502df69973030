use super::*;

/// What the whole and the groups matched, with `|` between, or `-`.
fn found(pattern: &str, dialect: Dialect, text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let places = Pattern::new(pattern, dialect, false).unwrap().find(&letters, 0);
    let part = |place: Option<(usize, usize)>| -> String {
        place.map_or(String::new(), |(from, to)| letters[from..to].iter().collect())
    };
    places
        .map_or("-".to_owned(), |places| places.into_iter().map(part).collect::<Vec<_>>().join("|"))
}

#[test]
fn posix_patterns_match_as_in_grep() {
    use Dialect::{Basic, Extended, Fixed};
    let cases = [
        ("^(a|b) ", Extended, "b  1", "b |b"),
        ("^[ab] ", Basic, "ab ", "-"),
        ("map/.*", Basic, "configmap/a", "map/a"),
        ("w.*2", Basic, "web-1 web-2 x", "web-1 web-2"),
        ("[0-9]+", Extended, "web-12", "12"),
        ("[0-9]+", Basic, "web-12+", "2+"),
        ("[0-9]\\{2\\}", Basic, "web-123", "12"),
        ("kube-(public|system)", Extended, "x kube-system", "kube-system|system"),
        ("a|ab", Extended, "abc", "ab"),
        ("a\\|ab", Basic, "abc", "ab"),
        ("(a?)(ab)?", Extended, "ab", "ab||ab"),
        ("a|b", Basic, "a|b", "a|b"),
        ("1/1$", Basic, "1/1 ", "-"),
        ("a\\.b", Basic, "axb a.b", "a.b"),
        ("a.b", Fixed, "axb a.b", "a.b"),
        ("", Basic, "x", ""),
        ("*a", Basic, "b*a", "*a"),
        ("^*a", Basic, "*a", "*a"),
        ("\\bweb\\b", Basic, "xweb web", "web"),
        ("(ab)*c", Extended, "xababc", "ababc|ab"),
        ("(.)\\1", Extended, "abccd", "cc|c"),
        ("(a*)*\\1b", Extended, "aaab", "aaab|a"),
        ("[[:digit:].]+", Extended, "ip 10.0.0.1!", "10.0.0.1"),
        ("[^]]x", Basic, "]x ax", "ax"),
        ("[\\n]", Basic, "a\\", "\\"),
        ("colou?r{1,2}", Extended, "colorr", "colorr"),
        ("a{,2}b", Extended, "aaab", "aab"),
        ("a{x", Extended, "a{x", "a{x"),
        ("a)", Extended, "a)", "a)"),
    ];
    for (pattern, dialect, text, wanted) in cases {
        assert_eq!(found(pattern, dialect, text), wanted, "{pattern} in {text}");
    }
}

#[test]
fn pcre_patterns_match_as_pcre_does() {
    let cases = [
        ("/api(/|$)(.*)", "/api/v1/x", "/api/v1/x|/|v1/x"),
        ("/api(/|$)(.*)", "/api", "/api||"),
        ("/api(/|$)(.*)", "/apis", "-"),
        ("^/foo", "/foobar", "/foo"),
        ("a|ab", "abc", "a"),
        ("a|bc|d", "xbcd", "bc"),
        ("(a+)(a*)", "aaa", "aaa|aaa|"),
        ("(a+?)(a*)", "aaa", "aaa|a|aa"),
        ("[a-c]{2,3}$", "xabca", "bca"),
        ("\\d+\\.html", "/a/12.html", "12.html"),
        ("/(en|es)/[^/]+", "/es/hola/x", "/es/hola|es"),
        ("^/(?!admin)", "/admin", "-"),
        ("^/(?!admin)", "/home", "/"),
        ("/(?=b)b", "/a/b", "/b"),
        ("(?:ab)+", "ababx", "abab"),
        ("(?<x>a)\\1", "aa", "aa|a"),
        ("(?i)/API", "/api", "/api"),
        ("a(?i:b)c", "aBc", "aBc"),
        ("a(?i:b)c", "aBC", "-"),
        ("[^\\W_]+", "_ab_", "ab"),
        ("(a|b)*c", "abac", "abac|a"),
        ("x{0}y", "xy", "y"),
        ("a{,3}", "a{,3}", "a{,3}"),
        ("a.b", "a\nb", "-"),
    ];
    for (pattern, text, wanted) in cases {
        assert_eq!(found(pattern, Dialect::Perl, text), wanted, "{pattern} in {text}");
    }
}

#[test]
fn patterns_of_schemas_are_found_as_go_finds_them() {
    let cron = r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$";
    let cases = [
        (cron, "* * * * */5", true),
        (cron, "* * * *", false),
        ("^#[0-9a-f]{6}$", "#00ff00", true),
        ("^#[0-9a-f]{6}$", "red", false),
        ("a|bc", "xbcx", true),
        ("^a|bc$", "xb", false),
        ("^(a|b)*c+?$", "ababcc", true),
        ("^[^a-c-]+$", "de-f", false),
        ("^[]a]+$", "a]a", true),
        ("^[[:alpha:]]+$", "ab", true),
        ("^[[:^alpha:]]+$", "12", true),
        (r"^\w+\.\w+$", "a.b", true),
        (r"\bcat\b", "concat", false),
        ("^a{2,3}$", "aaaa", false),
        ("^a{,3}$", "a{,3}", true),
        ("", "anything", true),
    ];
    for (pattern, text, is_in) in cases {
        assert_eq!(
            Pattern::new(pattern, Dialect::Go, false).unwrap().is_in(text),
            is_in,
            "{pattern}"
        );
    }
}

#[test]
fn each_dialect_says_in_its_own_words_what_is_wrong() {
    use Dialect::{Basic, Extended, Go, Perl};
    for (pattern, dialect, why) in [
        ("[a", Extended, "Unmatched [, [^, [:, [., or [="),
        ("(a", Extended, "Unmatched ( or \\("),
        ("a\\)", Basic, "Unmatched ) or \\)"),
        ("a\\", Extended, "Trailing backslash"),
        ("a\\{2", Basic, "Unmatched { or \\{"),
        ("a{3,2}", Extended, "Invalid content of \\{\\}"),
        ("[[:no:]]", Basic, "Invalid character class name"),
        ("\\(a\\)\\2", Basic, "Invalid back reference"),
        ("(", Perl, "missing closing parenthesis"),
        ("a)", Perl, "unmatched closing parenthesis"),
        ("[b-a]", Perl, "range out of order in character class"),
        ("*", Perl, "quantifier does not follow a repeatable item"),
        ("\\1", Perl, "reference to non-existent subpattern"),
        ("(a", Go, "error parsing regexp: missing closing ): `(a`"),
        ("a)", Go, "error parsing regexp: unexpected ): `a)`"),
        ("x[a", Go, "error parsing regexp: missing closing ]: `[a`"),
        ("a|*", Go, "error parsing regexp: missing argument to repetition operator: `*`"),
        ("a**", Go, "error parsing regexp: invalid nested repetition operator: `**`"),
        ("[b-a]", Go, "error parsing regexp: invalid character class range: `b-a`"),
        ("a\\y", Go, "error parsing regexp: invalid escape sequence: `\\y`"),
        ("a{1001}", Go, "error parsing regexp: invalid repeat count: `{1001}`"),
        ("(?=a)", Go, "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"),
    ] {
        let error = Pattern::new(pattern, dialect, false).unwrap_err();
        assert_eq!(error, Fault::Wrong(why.to_owned()), "{pattern}");
    }
    for (pattern, dialect) in [("(?<=a)b", Perl), ("\\p{L}", Go), ("(?m)^a", Go)] {
        assert_eq!(Pattern::new(pattern, dialect, false), Err(Fault::Unknown), "{pattern}");
    }
}

#[test]
fn no_pattern_takes_for_ever() {
    use Dialect::{Basic, Extended, Go, Perl};
    let line = "a".repeat(60) + "b";
    for (pattern, dialect) in [
        ("(a*)*(a*)*(a*)*c", Extended),
        ("\\(a*\\)*\\1\\(a*\\)*\\2c", Basic),
        ("(a*)*c", Perl),
        ("(a|a)*(a|aa)+$", Go),
        ("^(?=(a*)*c)(a|aa)+", Perl),
    ] {
        assert_eq!(found(pattern, dialect, &line), "-", "{pattern}");
    }
    let long = "x".repeat(100_000);
    assert_eq!(found("x*y", Extended, &long), "-");
    assert_eq!(found("(x)*", Extended, &long).len(), long.len() + 2);
    for pattern in ["(a{1000}){1000}", "(){1000}{1000}{1000}", &"(".repeat(1000)] {
        assert!(Pattern::new(pattern, Perl, false).is_err(), "{pattern}");
    }
    assert!(Pattern::new(&("a".to_owned() + &"*".repeat(100_000)), Extended, false).is_err());
}
