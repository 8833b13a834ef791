//! What `#[secs(…)]` says, and what the derives know of a type.

use syn::{Attribute, Data, DeriveInput, Error, Expr, Fields, Ident, LitStr, Result, Type};

/// The attributes of a type or a variant.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) binary: bool,
    pub(crate) other: bool,
    pub(crate) w: bool,
    pub(crate) message: Option<LitStr>,
    pub(crate) reply: Option<Type>,
}

impl Attributes {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut all = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("secs")) {
            attribute.parse_nested_meta(|meta| {
                let name = |text: &str| meta.path.is_ident(text);
                if name("binary") {
                    all.binary = true;
                } else if name("other") {
                    all.other = true;
                } else if name("w") {
                    all.w = true;
                } else if name("message") {
                    all.message = Some(meta.value()?.parse()?);
                } else if name("reply") {
                    all.reply = Some(meta.value()?.parse()?);
                } else {
                    return Err(meta.error("expected binary, other, w, message = \"S1F1\" or reply = Type"));
                }
                Ok(())
            })?;
        }
        Ok(all)
    }
}

/// A type that the derives can do something with.
pub(crate) enum Shape<'a> {
    Fields(&'a Fields),
    Codes(Codes<'a>),
}

/// An enum of numbers.
pub(crate) struct Codes<'a> {
    pub(crate) binary: bool,
    pub(crate) variants: Vec<Code<'a>>,
    /// The variant that takes all other numbers.
    pub(crate) other: Option<&'a Ident>,
}

pub(crate) struct Code<'a> {
    pub(crate) variant: &'a Ident,
    pub(crate) number: u8,
}

impl<'a> Shape<'a> {
    pub(crate) fn of(input: &'a DeriveInput) -> Result<Self> {
        match &input.data {
            Data::Struct(data) => Ok(Self::Fields(&data.fields)),
            Data::Enum(data) => {
                let attributes = Attributes::read(&input.attrs)?;
                let mut codes = Codes {
                    binary: attributes.binary,
                    variants: Vec::new(),
                    other: None,
                };
                let mut next = Some(0_u8);
                for variant in &data.variants {
                    let own = Attributes::read(&variant.attrs)?;
                    if own.other {
                        let one = matches!(&variant.fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1);
                        if !one || codes.other.is_some() {
                            let what = "one variant may take the other numbers, in one field: Other(u8)";
                            return Err(Error::new_spanned(variant, what));
                        }
                        codes.other = Some(&variant.ident);
                        continue;
                    }
                    if !matches!(variant.fields, Fields::Unit) {
                        let what = "only variants without fields are numbers; one more may be #[secs(other)] Other(u8)";
                        return Err(Error::new_spanned(variant, what));
                    }
                    let number = match &variant.discriminant {
                        Some((_, number)) => literal(number)?,
                        None => next.ok_or_else(|| Error::new_spanned(variant, "its number would be above 255"))?,
                    };
                    next = number.checked_add(1);
                    codes.variants.push(Code {
                        variant: &variant.ident,
                        number,
                    });
                }
                Ok(Self::Codes(codes))
            }
            Data::Union(_) => Err(Error::new_spanned(&input.ident, "a union is no item")),
        }
    }
}

fn literal(number: &Expr) -> Result<u8> {
    match number {
        Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Int(number),
            ..
        }) => number.base10_parse(),
        // From a macro it comes in a group without marks.
        Expr::Group(group) => literal(&group.expr),
        other => Err(Error::new_spanned(other, "write the number itself, 0 to 255")),
    }
}
