//! `ToItem`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Index, Member, Result, parse_quote};

use crate::attributes::{Codes, Shape};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let body = match Shape::of(input)? {
        Shape::Fields(fields) => {
            let members: Vec<Member> = fields.members().collect();
            let count = members.len();
            match (&*members, members.first()) {
                ([one @ Member::Unnamed(Index { .. })], _) => quote!(::hsms::item::ToItem::write(&self.#one, writer)),
                _ => quote! {
                    writer.begin_list(#count);
                    #(::hsms::item::ToItem::write(&self.#members, writer);)*
                },
            }
        }
        Shape::Codes(codes) => code(&codes),
    };
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::hsms::item::ToItem));
    }
    let (for_all, of, given) = generics.split_for_impl();
    Ok(quote! {
        impl #for_all ::hsms::item::ToItem for #name #of #given {
            fn write(&self, writer: &mut ::hsms::item::Writer) {
                #body
            }
        }
    })
}

fn code(codes: &Codes<'_>) -> TokenStream {
    let (variants, numbers): (Vec<_>, Vec<_>) = codes.variants.iter().map(|code| (code.variant, code.number)).unzip();
    let other = codes.other.map(|other| quote!(Self::#other(number) => *number,));
    let write = if codes.binary {
        quote!(writer.binary(&[number]))
    } else {
        quote!(writer.numbers::<u8>(&[number]))
    };
    quote! {
        let number: u8 = match self {
            #(Self::#variants => #numbers,)*
            #other
        };
        #write
    }
}
