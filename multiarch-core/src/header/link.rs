//! The grammar of `Link` ([RFC 8288, section 3]), in which a list says where its next page is.
//!
//! [RFC 8288, section 3]: https://www.rfc-editor.org/rfc/rfc8288.html#section-3

/// Where `<address>; rel="next"` leads, of all links in one header. An address without brackets is taken, too.
pub(crate) fn next_link(text: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return None;
        }
        // An address in brackets may hold what separates links and parameters elsewhere.
        let (address, after) = match rest.strip_prefix('<') {
            Some(bracketed) => bracketed.split_once('>')?,
            None => rest.split_at(rest.find([';', ',']).unwrap_or(rest.len())),
        };
        let (parameters, others) = after.split_at(after.find(',').unwrap_or(after.len()));
        if parameters.split(';').any(is_next) {
            return Some(address.trim().to_owned());
        }
        rest = others;
    }
}

/// True for a `rel` that has `next` among its relations.
fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches(['"', '\'']).split_whitespace();
    name.trim().eq_ignore_ascii_case("rel")
        && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        for (text, expected) in [
            ("</v2/_catalog?last=a&n=2>; rel=\"next\"", Some("/v2/_catalog?last=a&n=2")),
            ("</v2/a>;rel=next", Some("/v2/a")),
            ("<https://h/v2/a?x=1,2;3>; rel=\"next\"", Some("https://h/v2/a?x=1,2;3")),
            ("</a>; rel=\"prev\", </b>; rel=\"next\"", Some("/b")),
            ("</a>; title=\"next\"; rel=\"prev\"", None),
            ("</next>; rel=\"last\"", None),
            ("</a>; REL=\"last Next\"", Some("/a")),
            ("</a>; title=\"x\" ; rel = 'next'", Some("/a")),
            ("/v2/a; rel=\"next\"", Some("/v2/a")),
            ("</a; rel=\"next\"", None),
            ("</a>", None),
            ("", None),
            (" ,, ", None),
        ] {
            assert_eq!(next_link(text).as_deref(), expected, "{text}");
        }
    }
}
