//! Where a YAML text has anchors and aliases.

use std::{collections::BTreeMap, ops::Range};

use super::outline::{KeyValue, Node, NodeKind};

/// A path of keys; `None` for a value inside a list or a merge, or overruled by a later key.
pub(super) type Path<'n> = Option<Vec<&'n str>>;

pub(super) struct AliasAt<'n> {
    pub(super) anchor: usize,
    pub(super) span: &'n Range<usize>,
    pub(super) path: Path<'n>,
}

pub(super) fn collect<'n>(
    node: &'n Node,
    path: &mut Path<'n>,
    anchors: &mut BTreeMap<usize, (&'n Node, Path<'n>)>,
    aliases: &mut Vec<AliasAt<'n>>,
) {
    if let Some(anchor) = node.anchor {
        anchors.insert(anchor, (node, path.clone()));
    }
    match &node.kind {
        NodeKind::Scalar(_) => {}
        NodeKind::Alias(anchor) => {
            aliases.push(AliasAt { anchor: *anchor, span: &node.span, path: path.clone() });
        }
        NodeKind::List(items) => {
            for item in items {
                collect(item, &mut None, anchors, aliases);
            }
        }
        NodeKind::Mapping { members, .. } => {
            for member in members {
                let is_last =
                    last(members, &member.key).is_some_and(|last| std::ptr::eq(last, member));
                let mut below = path.clone().filter(|_| is_last);
                if let Some(below) = &mut below {
                    below.push(&member.key);
                }
                collect(&member.value, &mut below, anchors, aliases);
            }
        }
    }
}

/// The member that counts: Helm takes the last of equal keys.
pub(super) fn last<'n>(members: &'n [KeyValue], key: &str) -> Option<&'n KeyValue> {
    members.iter().rev().find(|member| member.key == key && !member.merges)
}
