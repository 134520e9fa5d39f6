//! The impl of `#[derive(Pillow)]`, and the drift check.

use pillowtop_core::analysis::defined;
use pillowtop_core::demand::NameKind;
use pillowtop_core::field_types::{Product, Target};
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::document::option;
use super::mapping::hexadecimal;
use crate::errors::with_help;
use crate::filter::predicate;
use crate::idents::{CHANGE, PRIVATE, Private, facade, in_const_block, index_alias};
use crate::model::{FilterModel, PillowModel, SettingsModel, SettingsText, TransformModel};
use crate::parse::{StructReceiver, StructShape, mentions};

/// What the compiler is to say of the committed mapping.
pub(crate) enum Drift {
    /// Compare the fingerprint; the message is for when it differs.
    Compare { fingerprint: u128, message: String },
    /// It cannot be compared, for this reason. `exists` tells whether there is a file at all.
    Refuse { message: String, exists: bool },
    /// Do not look.
    Unchecked,
}

/// The impl of a pillow without errors.
pub(crate) fn expand_pillow(pillow: &PillowModel<'_>, drift: &Drift) -> TokenStream {
    let ident = pillow.ident;
    let info = info(pillow);
    let committed = committed(pillow, drift);
    let accepts = pillow.filter.as_ref().map_or_else(|| quote!(true), |model| predicate(&model.filter));
    // Brings the reading of plain fields into scope, where there is a field to read.
    let plain = pillow.filter.is_some().then(|| quote!(use #PRIVATE::Plain as _;));
    // `Self::Index` in a signature would have the compiler ask once more whether all bounds hold.
    let Made { alias, index, transform } = made(pillow);
    let check = check(ident, drift);
    let surroundings = surroundings(pillow);
    let implementing = implementing(ident);
    in_const_block(&quote! {
        #alias
        #[automatically_derived]
        #implementing {
            type Index = #index;
            const PILLOW: #PRIVATE::PillowInfo = #info;
            const COMMITTED: #PRIVATE::Committed = #committed;
            fn accepts(&self) -> bool {
                #plain
                #accepts
            }
            fn transform(self, #CHANGE: &#PRIVATE::ChangeMeta) -> #PRIVATE::Option<#index> {
                #transform
            }
        }
        #check
        #surroundings
    })
}

/// The head of an impl with the struct's place: whatever the compiler says of the trait's bounds, it says there.
fn implementing(ident: &Ident) -> TokenStream {
    let (span, private) = (ident.span(), Private::at(ident.span()));
    quote_spanned!(span=> impl #private::Pillow for #ident)
}

/// Whether targets and settings have what the mapping asks of them: only the compiler sees all of the mapping.
fn surroundings(pillow: &PillowModel<'_>) -> TokenStream {
    let ident = pillow.ident;
    // Each call has the place of what it asks, for that is where the compiler reports what it asserts.
    let targets = pillow.targets.iter().map(|(target, span)| {
        let (private, target) = (Private::at(*span), target_of(*target));
        let call = quote_spanned!(*span=> #private::assert_target::<#ident>(#target));
        quote!(const _: () = #call;)
    });
    let asserted = match (&pillow.settings, &pillow.transform) {
        (None, None) => {
            let private = Private::at(ident.span());
            quote_spanned!(ident.span()=> const _: () = #private::assert_plain::<#ident>();)
        }
        (settings, transform) => {
            let span = settings.as_ref().map_or_else(|| ident.span(), |settings| settings.span);
            let (private, names) = (Private::at(span), defined_names(settings.as_ref()));
            let names = quote_spanned!(span=> #private::assert_names::<#ident>(#names));
            let span = transform.as_ref().map_or_else(|| ident.span(), |transform| transform.index.span());
            let private = Private::at(span);
            let root = quote_spanned!(span=> #private::assert_root::<#ident>());
            quote!(const _: () = #names; const _: () = #root;)
        }
    };
    quote!(#(#targets)* #asserted)
}

fn defined_names(settings: Option<&SettingsModel>) -> TokenStream {
    let Some(settings) = settings else { return quote!(#PRIVATE::DefinedNames::NONE) };
    let file = option(Some(settings.shown()));
    let [analyzers, normalizers, similarities] =
        [NameKind::Analyzer, NameKind::Normalizer, NameKind::Similarity].map(|kind| {
            let names = defined(&settings.normal, kind);
            quote!(&[#(#names),*])
        });
    quote! {
        #PRIVATE::DefinedNames {
            file: #file,
            analyzers: #analyzers,
            normalizers: #normalizers,
            similarities: #similarities,
        }
    }
}

fn target_of(target: Target) -> TokenStream {
    let product = match target.product {
        Product::Elasticsearch => quote!(elasticsearch),
        Product::OpenSearch => quote!(opensearch),
    };
    let (major, minor) =
        (Literal::u16_unsuffixed(target.version.major), Literal::u16_unsuffixed(target.version.minor));
    quote!(#PRIVATE::Target::#product(#major, #minor))
}

fn info(pillow: &PillowModel<'_>) -> TokenStream {
    let PillowModel { name, alias, transform_version, .. } = pillow;
    let text = |text: fn(&FilterModel) -> Option<&str>| option(pillow.filter.as_ref().and_then(text));
    let (filter, selector) = (text(|model| Some(&model.text)), text(|model| model.selector.as_deref()));
    let targets = pillow.targets.iter().map(|(target, _)| target_of(*target));
    let (settings, hash) = match &pillow.settings {
        None => (option(None), quote!(0)),
        Some(settings) => {
            let hash = hexadecimal(settings.hash);
            let text = match &settings.text {
                SettingsText::Inline(text) => quote!(#text),
                SettingsText::File(place) => {
                    let path = &place.from_crate;
                    quote!(::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #path)))
                }
            };
            (quote!(#PRIVATE::Option::Some(#text)), quote!(#hash))
        }
    };
    quote! {
        #PRIVATE::PillowInfo {
            name: #name,
            alias: #alias,
            filter: #filter,
            selector: #selector,
            transform_version: #transform_version,
            settings: #settings,
            settings_hash: #hash,
            targets: &[#(#targets),*],
        }
    }
}

fn committed(pillow: &PillowModel<'_>, drift: &Drift) -> TokenStream {
    let facade = facade();
    let Some(place) = &pillow.mapping else { return quote!(#PRIVATE::Committed::Unchecked) };
    let path = &place.from_crate;
    match drift {
        Drift::Unchecked => quote!(#PRIVATE::Committed::Unchecked),
        Drift::Compare { .. } | Drift::Refuse { exists: true, .. } => {
            quote!(#facade::__committed!(present #path))
        }
        Drift::Refuse { exists: false, .. } => quote!(#facade::__committed!(missing #path)),
    }
}

/// What is indexed and how it is made.
struct Made {
    /// The name of the type, if it needs one.
    alias: Option<TokenStream>,
    index: TokenStream,
    transform: TokenStream,
}

fn made(pillow: &PillowModel<'_>) -> Made {
    let ident = pillow.ident;
    let Some(TransformModel { function, index, of_index }) = &pillow.transform else {
        let index = quote_spanned!(ident.span()=> #ident);
        return Made { alias: None, index, transform: quote!(#PRIVATE::Option::Some(self)) };
    };
    if mentions(index, &Ident::new("Self", index.span())) {
        // `Self` means something in the impl alone.
        let private = Private::at(function.span());
        let transform = quote_spanned! {function.span()=>
            #private::Transform::<Self, #index>::apply(#function, self, #CHANGE)
        };
        return Made { alias: None, index: index.to_token_stream(), transform };
    }
    let alias = index_alias(index.span());
    // What is called has the user's place, so that a wrong signature is reported there.
    let span = function.span();
    let function = match of_index {
        Some(name) => quote_spanned!(span=> <#alias>::#name),
        None => quote!(#function),
    };
    let private = Private::at(span);
    let transform =
        quote_spanned!(span=> #private::Transform::<Self, #alias>::apply(#function, self, #CHANGE));
    Made { alias: Some(quote!(type #alias = #index;)), index: alias.into_token_stream(), transform }
}

fn check(ident: &Ident, drift: &Drift) -> TokenStream {
    let facade = facade();
    let span = ident.span();
    match drift {
        Drift::Unchecked => TokenStream::new(),
        Drift::Refuse { message, .. } => {
            let error = quote_spanned!(span=> ::core::compile_error! { #message });
            quote!(#facade::__unless_bless! { #error })
        }
        Drift::Compare { fingerprint, message } => {
            let fingerprint = hexadecimal(*fingerprint);
            let derived = quote!(<#ident as #PRIVATE::Pillow>::FINGERPRINT);
            // All of the call has the struct's place: that is where the compiler reports what it asserts.
            let private = Private::at(span);
            let compare = quote_spanned!(span=> #private::assert_fresh(#derived, #fingerprint, #message));
            quote!(#facade::__unless_bless! { const _: () = #compare; })
        }
    }
}

/// An impl that says nothing, for a struct with errors: those errors are enough. Where the compiler alone is to report one,
/// it cannot be used: should the compiler be content, no pillow without a name gets into a program.
pub(crate) fn fallback_pillow(receiver: &StructReceiver<'_>, is_left_to_compiler: bool) -> TokenStream {
    let ident = receiver.ident;
    let is_object = matches!(receiver.shape, StructShape::Named(_));
    if !is_object || !receiver.generics.params.is_empty() || receiver.borrowed().next().is_some() {
        // It cannot have an impl: it is no document, its bounds are not known, or what it borrows outlives nothing.
        return TokenStream::new();
    }
    let implementing = implementing(ident);
    let info = if is_left_to_compiler {
        let message = with_help(
            format!(
                "`{ident}` has no `#[couch(…)]` or no `#[pillow(…)]`, but an attribute of nearly that name"
            ),
            "write `#[couch(…)]` and `#[pillow(…)]` letter by letter",
        );
        quote!(::core::panic!(#message))
    } else {
        nothing()
    };
    in_const_block(&quote! {
        #[automatically_derived]
        #implementing {
            type Index = #ident;
            const PILLOW: #PRIVATE::PillowInfo = #info;
            const COMMITTED: #PRIVATE::Committed = #PRIVATE::Committed::Unchecked;
            fn accepts(&self) -> bool {
                true
            }
            fn transform(self, _: &#PRIVATE::ChangeMeta) -> #PRIVATE::Option<#ident> {
                #PRIVATE::Option::Some(self)
            }
        }
    })
}

fn nothing() -> TokenStream {
    quote! {
        #PRIVATE::PillowInfo {
            name: "",
            alias: "",
            filter: #PRIVATE::Option::None,
            selector: #PRIVATE::Option::None,
            transform_version: 1,
            settings: #PRIVATE::Option::None,
            settings_hash: 0,
            targets: &[],
        }
    }
}
