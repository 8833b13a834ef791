//! `FromItem`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Fields, GenericParam, Lifetime, LifetimeParam, Member, Result, parse_quote};

use crate::attributes::{Codes, Shape};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let body = match Shape::of(input)? {
        Shape::Fields(fields) => fields_of(input, fields),
        Shape::Codes(codes) => code(input, &codes),
    };
    // What is borrowed is borrowed from the item.
    let mut lifetimes = input.generics.lifetimes();
    let own = lifetimes.next().map(|own| own.lifetime.clone());
    if let Some(second) = lifetimes.next() {
        return Err(Error::new_spanned(
            second,
            "it can borrow from the item only: one lifetime",
        ));
    }
    let item = own
        .clone()
        .unwrap_or_else(|| Lifetime::new("'secs_item", proc_macro2::Span::call_site()));
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!(::hsms::item::FromItem<#item>));
    }
    let (_, of, given) = generics.split_for_impl();
    let mut all = generics.clone();
    if own.is_none() {
        all.params
            .insert(0, GenericParam::Lifetime(LifetimeParam::new(item.clone())));
    }
    let (for_all, ..) = all.split_for_impl();
    Ok(quote! {
        impl #for_all ::hsms::item::FromItem<#item> for #name #of #given {
            fn from_item(
                item: ::hsms::item::ItemRef<#item>,
            ) -> ::core::result::Result<Self, ::hsms::item::ReadError> {
                #body
            }
        }
    })
}

fn fields_of(input: &DeriveInput, fields: &Fields) -> TokenStream {
    let members: Vec<Member> = fields.members().collect();
    if let ([one @ Member::Unnamed(_)], Fields::Unnamed(_)) = (&*members, fields) {
        return quote!(::core::result::Result::Ok(Self {
            #one: ::hsms::item::FromItem::from_item(item)?,
        }));
    }
    let count = members.len();
    let type_name = input.ident.to_string();
    let names = members.iter().map(|member| match member {
        Member::Named(name) => format!("{type_name}.{name}"),
        Member::Unnamed(index) => format!("{type_name}.{}", index.index),
    });
    let mutable = (count > 0).then(|| quote!(mut));
    let unused = (count == 0).then(|| quote!(let _ = fields;));
    quote! {
        let #mutable fields = ::hsms::item::Fields::new(item, #count).map_err(|error| error.named(#type_name))?;
        #unused
        ::core::result::Result::Ok(Self {
            #(#members: fields.read().map_err(|error| error.named(#names))?,)*
        })
    }
}

fn code(input: &DeriveInput, codes: &Codes<'_>) -> TokenStream {
    let name = input.ident.to_string();
    let (variants, numbers): (Vec<_>, Vec<_>) = codes.variants.iter().map(|code| (code.variant, code.number)).unzip();
    let rest = match codes.other {
        Some(other) => quote!(number => ::core::result::Result::Ok(Self::#other(number)),),
        None => quote! {
            number => ::core::result::Result::Err(
                ::hsms::item::ReadError::other(::std::format!("{number} is no {}", #name)),
            ),
        },
    };
    quote! {
        let number: u8 = ::hsms::item::FromItem::from_item(item)?;
        #[allow(unreachable_patterns)]
        match number {
            #(#numbers => ::core::result::Result::Ok(Self::#variants),)*
            #rest
        }
    }
}
