//! The derive macro of the crate `components`; its documentation is there.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, Field, Fields, GenericArgument, LitStr, PathArguments, Result, Type, parse_macro_input,
};

/// Makes the fields of types `Inbox<…>` and `Outbox<…>` known as the boxes of a component.
///
/// A box is called as its field, or as `#[boxes(name = "…")]` says; its documentation is the field's. If there is an
/// `Inbox` called `inbox`, or an `Outbox` called `outbox`, the traits for pipelines are implemented too.
/// `#[boxes(name = "…")]` on the struct names the component; by default it is called as its type.
#[proc_macro_derive(Boxes, attributes(boxes))]
pub fn boxes(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inbox,
    Outbox,
}

fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields.named.iter().collect(),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(fields) => {
                return Err(Error::new(fields.span(), "boxes need names: give the fields names"));
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            return Err(Error::new(
                input.ident.span(),
                "a component is a struct: its fields are its boxes",
            ));
        }
    };
    let (implement, types, whose) = input.generics.split_for_impl();
    let ident = &input.ident;
    let (mut list, mut main, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for field in fields {
        let Some((kind, message)) = kind(&field.ty) else {
            if let Some(attribute) = field.attrs.iter().find(|attribute| attribute.path().is_ident("boxes")) {
                return Err(Error::new(
                    attribute.span(),
                    "only fields of type Inbox<…> and Outbox<…> are boxes",
                ));
            }
            continue;
        };
        let Some(member) = &field.ident else { continue };
        let name = name(&field.attrs)?.unwrap_or_else(|| member.to_string().trim_start_matches("r#").to_owned());
        if seen.contains(&(kind, name.clone())) {
            return Err(Error::new(
                member.span(),
                format!("two boxes of one direction are called {name:?}"),
            ));
        }
        let documentation = documentation(field);
        let add = match kind {
            Kind::Inbox => quote!(inbox),
            Kind::Outbox => quote!(outbox),
        };
        list.push(quote_spanned!(member.span()=> list.#add(#name, #documentation, &self.#member);));
        match (kind, name.as_str()) {
            (Kind::Inbox, "inbox") => main.push(quote! {
                #[automatically_derived]
                impl #implement ::components::HasInbox for #ident #types #whose {
                    type In = #message;
                    fn inbox(&self) -> &::components::Inbox<#message> { &self.#member }
                }
            }),
            (Kind::Outbox, "outbox") => main.push(quote! {
                #[automatically_derived]
                impl #implement ::components::HasOutbox for #ident #types #whose {
                    type Out = #message;
                    fn outbox(&self) -> &::components::Outbox<#message> { &self.#member }
                }
            }),
            _ => {}
        }
        seen.push((kind, name));
    }
    let own_name = name(&input.attrs)?.unwrap_or_else(|| ident.to_string());
    Ok(quote! {
        #[automatically_derived]
        impl #implement ::components::Boxes for #ident #types #whose {
            fn boxes(&self, list: &mut ::components::BoxList) {
                let _ = &list;
                #(#list)*
            }
            fn name(&self) -> ::std::borrow::Cow<'static, str> { ::std::borrow::Cow::Borrowed(#own_name) }
        }
        #(#main)*
    })
}

/// Whether a type is a box, and of what: told by the last part of its path.
fn kind(of: &Type) -> Option<(Kind, &Type)> {
    let Type::Path(path) = of else { return None };
    let last = path.path.segments.last()?;
    let kind = match last.ident.to_string().as_str() {
        "Inbox" => Kind::Inbox,
        "Outbox" => Kind::Outbox,
        _ => return None,
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(message) => Some((kind, message)),
        _ => None,
    }
}

/// `#[boxes(name = "…")]`
fn name(attributes: &[syn::Attribute]) -> Result<Option<String>> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("boxes")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("only `name = \"…\"` is known here"));
            }
            let text: LitStr = meta.value()?.parse()?;
            if text.value().is_empty() || text.value().contains('.') {
                return Err(Error::new(text.span(), "a name is not empty and has no dot"));
            }
            name = Some(text.value());
            Ok(())
        })?;
    }
    Ok(name)
}

/// The lines of a doc comment as one text.
fn documentation(field: &Field) -> LitStr {
    let lines = field.attrs.iter().filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    LitStr::new(&lines.collect::<Vec<_>>().join(" "), Span::call_site())
}
