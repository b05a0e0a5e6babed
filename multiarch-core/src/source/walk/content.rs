//! Lists one file of an archive.

use std::{
    io::{self, Read},
    sync::Arc,
};

use super::{Walk, roles};
use crate::{
    image::Compression,
    limit::KEPT_FILE,
    package::{Listing, Locator, Member, MemberKind},
    source::{
        input::{Input, read_up_to, unreadable},
        sniff,
    },
};

impl Walk<'_> {
    /// Lists one file: with its content where that is small and may be needed, and with its own
    /// listing where it is an archive.
    pub(super) fn content(
        &mut self,
        mut input: Input<'_>,
        at: Locator,
        path: String,
        listing: &mut Listing,
        depth: usize,
    ) {
        input.allowance().for_content();
        if let Some(current_file) = self.current_file.get(&at.stream) {
            current_file.begin_file(at.offset.saturating_add(at.size));
        }
        let section = input.as_section();
        let head = match read_up_to(&mut input, sniff::HEAD) {
            Ok(head) => head,
            Err(error) => return mark_cut_at(listing, error, &path),
        };
        let compression = Compression::sniff(&head);
        let mut member = Member { kind: MemberKind::File(at), content: None, compression };
        let opaque = roles::is_blob(&path) || roles::is_chart_file(&path);
        if opaque || roles::is_wanted(&path) {
            let wanted = head.first() == Some(&b'{') || roles::is_wanted(&path);
            if wanted && KEPT_FILE.check(at.size).is_ok() && self.kept.files.take(at.size) {
                match rest(head, input, at.size) {
                    Ok(content) => {
                        member.content = Some(content);
                    }
                    Err(error) => return mark_cut_at(listing, error, &path),
                }
            }
            listing.insert(path, member);
            return;
        }
        let again = match section {
            Some(section) => Input::section(section.part(0, at.size)),
            None => Input::stream(io::Cursor::new(head.clone()).chain(input)),
        };
        // Errors name the package in a field of their own, so a path does not begin with it.
        let name = if depth == 0 { path.clone() } else { format!("{}/{path}", listing.path) };
        if let Some(nested) = self.enter(again, &head, at, &name, depth + 1) {
            // A nested archive's problems stay in its own listing. Where the stream itself ends early,
            // this archive is cut, too, and reports it.
            listing.insert_nested(&path, nested);
        }
        listing.insert(path, member);
    }
}

/// The whole content of a file of `size` bytes, whose `head` was read from `input` already.
fn rest(head: Vec<u8>, input: Input<'_>, size: u64) -> io::Result<Arc<[u8]>> {
    let mut content = head;
    let left = size.saturating_sub(content.len() as u64);
    input.take(left).read_to_end(&mut content)?;
    if (content.len() as u64) < size {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is cut"));
    }
    Ok(content.into())
}

fn mark_cut_at(listing: &mut Listing, error: io::Error, path: &str) {
    listing.problems.push(unreadable("reading the archive", error).at_path(path));
    listing.is_incomplete = true;
}
