//! `SecsMessage`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Result};

use crate::attributes::Attributes;

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = Attributes::read(&input.attrs)?;
    let Some(about) = &attributes.message else {
        let what = "say what the message is about: #[secs(message = \"S1F1\")]";
        return Err(Error::new_spanned(&input.ident, what));
    };
    let (stream, function) = parse(about)?;
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "a message is a struct"));
    };
    let header_only = matches!(data.fields, Fields::Unit);
    let w = attributes.w || attributes.reply.is_some();
    let name = &input.ident;
    let (for_all, of, given) = input.generics.split_for_impl();
    let reply = attributes.reply.map(|reply| {
        quote! {
            impl #for_all ::hsms::SecsRequest for #name #of #given {
                type Reply = #reply;
            }
        }
    });
    Ok(quote! {
        impl #for_all ::hsms::SecsMessage for #name #of #given {
            const ABOUT: ::hsms::StreamFunction = ::hsms::StreamFunction::new(#stream, #function);
            const W: bool = #w;
            const HEADER_ONLY: bool = #header_only;
        }
        #reply
    })
}

fn parse(about: &LitStr) -> Result<(u8, u8)> {
    let text = about.value();
    let numbers = text.strip_prefix('S').and_then(|rest| rest.split_once('F'));
    let parsed = numbers.and_then(|(stream, function)| Some((stream.parse().ok()?, function.parse().ok()?)));
    match parsed {
        Some((stream @ 0..=127, function)) => Ok((stream, function)),
        _ => Err(Error::new(
            about.span(),
            "write it like \"S1F13\": the stream at most 127, the function at most 255",
        )),
    }
}
