//! Lists and dicts are values here, and references in Python: code that would see a difference.

use super::{Compiler, Result};
use crate::script::python::ast::{Expr, Kind};
use crate::script::python::lexer::At;

impl Compiler<'_> {
    /// Whether a value may be one that another place holds too. Lists and maps are values here, but in Python it would
    /// be the same list: code in which that makes a difference is refused.
    pub(super) fn is_shared(&self, value: &Expr) -> bool {
        match &value.kind {
            Kind::Name(_) | Kind::Attribute(..) | Kind::Index(..) => true,
            Kind::And(a, b) | Kind::Or(a, b) => self.is_shared(a) || self.is_shared(b),
            Kind::If(parts) => self.is_shared(&parts.1) || self.is_shared(&parts.2),
            Kind::Call(function, _) => {
                matches!(&function.kind, Kind::Attribute(_, name) if matches!(&**name, "get" | "setdefault"))
            }
            _ => false,
        }
    }

    /// A local that is stored elsewhere is shared from then on.
    pub(super) fn stored(&mut self, value: &Expr) {
        match &value.kind {
            Kind::Name(name) => {
                if let Some(slot) = self.find_local(name) {
                    self.share(slot);
                }
            }
            Kind::List(items) | Kind::Tuple(items) => items.iter().for_each(|item| self.stored(item)),
            Kind::Dict(pairs) => pairs.iter().for_each(|(_, value)| self.stored(value)),
            _ => {}
        }
    }

    /// Refuses changes in place that would not be seen where Python shows them.
    pub(super) fn changed(&self, place: &Expr, at: At) -> Result<()> {
        match &place.kind {
            Kind::Index(of, _) => self.changed(of, at),
            Kind::Name(name) => {
                let shared = match self.find_local(name) {
                    Some(slot) => self.locals[slot].shared,
                    None => self.parameters.contains(name),
                };
                if !shared {
                    return Ok(());
                }
                Err(self.wrong(
                    at,
                    format!(
                        "`{name}` may be held elsewhere too, and that would not change with it (lists and dicts are \
                         values): change the attribute itself, or a copy: list({name})"
                    ),
                ))
            }
            _ => Ok(()),
        }
    }
}
