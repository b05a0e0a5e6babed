//! The grammar of `WWW-Authenticate` ([RFC 9110, section 11.6.1]), read as leniently as it is written.
//!
//! The crate `http-auth` reads it, too, but takes none of a header in which one challenge holds what is not
//! in the grammar, or only the end of a token (`Negotiate oYG=`), an address without quotes, or two blanks.
//!
//! [RFC 9110, section 11.6.1]: https://www.rfc-editor.org/rfc/rfc9110.html#section-11.6.1

use std::collections::HashMap;

/// One of the challenges in a header. Scheme and names of parameters are in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ParsedChallenge {
    pub(crate) scheme: String,
    pub(crate) parameters: HashMap<String, String>,
}

/// All challenges of one header.
pub(crate) fn challenges(text: &str) -> Vec<ParsedChallenge> {
    let mut found: Vec<ParsedChallenge> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return found;
        }
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        match after.trim_start_matches([' ', '\t']).strip_prefix('=') {
            // The end of a token that belongs to the scheme: `Negotiate oYG=`, `Negotiate oYG==`.
            Some(after) if after.is_empty() || after.starts_with(['=', ',']) => {
                rest = after.trim_start_matches('=');
            }
            Some(after) => {
                let (value, after) = value(after.trim_start_matches([' ', '\t']));
                if let Some(challenge) = found.last_mut() {
                    challenge.parameters.entry(word.to_ascii_lowercase()).or_insert(value);
                }
                rest = after;
            }
            None => {
                let scheme = word.to_ascii_lowercase();
                found.push(ParsedChallenge { scheme, ..ParsedChallenge::default() });
                rest = after;
            }
        }
    }
}

/// The value that a text begins with, in quotes or without, and what comes after it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        for (text, expected) in [
            ("Basic", "basic"),
            ("", ""),
            (" , ,", ""),
            ("Negotiate, Basic realm=\"x, y\"", "negotiate|basic realm=x, y"),
            ("Negotiate oYG==, Basic realm=x", "negotiate|basic realm=x"),
            ("NTLM oYG=", "ntlm"),
            ("Bearer  a = \"b\" ,\tc=d", "bearer a=b c=d"),
            ("Bearer a=\"b\" c=\"d\"", "bearer a=b c=d"),
            ("bearer A=\"q\\\"q\"", "bearer a=q\"q"),
            ("Bearer a=\"unclosed", "bearer a=unclosed"),
            ("Bearer a=https://h/t?x=1,b=c", "bearer a=https://h/t?x=1 b=c"),
            ("Bearer a=b,a=c", "bearer a=b"),
            ("a=b", ""),
            ("Basic a=\"\", Bearer", "basic a=|bearer"),
        ] {
            let shown: Vec<String> = challenges(text)
                .into_iter()
                .map(|challenge| {
                    let mut parameters: Vec<_> = challenge.parameters.into_iter().collect();
                    parameters.sort();
                    let parameters =
                        parameters.iter().map(|(name, value)| format!(" {name}={value}"));
                    challenge.scheme + &parameters.collect::<String>()
                })
                .collect();
            // A token of a scheme is no scheme that anyone knows.
            let shown: Vec<_> = shown.iter().filter(|shown| *shown != "oyg").cloned().collect();
            assert_eq!(shown.join("|"), expected, "{text}");
        }
    }
}
