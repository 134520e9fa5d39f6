//! The impl of `#[derive(Pillow)]`, and the drift check.

use pillowtop_core::analysis::defined;
use pillowtop_core::demand::NameKind;
use pillowtop_core::field_types::{Product, Target};
use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Lifetime};

use super::document::option;
use super::mapping::hexadecimal;
use crate::filter::predicate;
use crate::idents::{CHANGE, PRIVATE, Private, facade, in_const_block, text_lifetime};
use crate::model::{PillowModel, SettingsModel, SettingsText};

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
    let (impl_generics, type_generics, where_clause) = pillow.generics.split_for_impl();
    let lifetime = text_lifetime();
    let document = with_lifetime(pillow, &lifetime);
    let (index, transform) = transform(pillow);
    let check = check(pillow, drift);
    let surroundings = surroundings(pillow);
    in_const_block(&quote! {
        #[automatically_derived]
        impl #impl_generics #PRIVATE::Pillow for #ident #type_generics #where_clause {
            type Document<#lifetime> = #document;
            type Index = #index;
            const PILLOW: #PRIVATE::PillowInfo = #info;
            const COMMITTED: #PRIVATE::Committed = #committed;
            fn accepts(&self) -> bool {
                #plain
                #accepts
            }
            fn transform(self, #CHANGE: &#PRIVATE::ChangeMeta) -> #PRIVATE::Option<Self::Index> {
                #transform
            }
        }
        #check
        #surroundings
    })
}

/// The struct with one lifetime in the place of each of its own.
fn with_lifetime(pillow: &PillowModel<'_>, lifetime: &Lifetime) -> TokenStream {
    let ident = pillow.ident;
    let lifetimes = pillow.generics.params.iter().map(|_| lifetime);
    if pillow.generics.params.is_empty() { quote!(#ident) } else { quote!(#ident<#(#lifetimes),*>) }
}

/// The struct where its lifetimes are the compiler's to choose.
fn elided(pillow: &PillowModel<'_>) -> TokenStream {
    with_lifetime(pillow, &Lifetime::new("'_", Span::call_site()))
}

/// Whether targets and settings have what the mapping asks of them: only the compiler sees all of the mapping.
fn surroundings(pillow: &PillowModel<'_>) -> TokenStream {
    let asked = elided(pillow);
    // Each call has the place of what it asks, for that is where the compiler reports what it asserts.
    let targets = pillow.targets.iter().map(|(target, span)| {
        let (private, target) = (Private::at(*span), target_of(*target));
        let call = quote_spanned!(*span=> #private::assert_target::<#asked>(#target));
        quote!(const _: () = #call;)
    });
    let span = pillow.settings.as_ref().map_or_else(|| pillow.ident.span(), |settings| settings.span);
    let (private, names) = (Private::at(span), defined_names(pillow.settings.as_ref()));
    let names = quote_spanned!(span=> #private::assert_names::<#asked>(#names));
    quote! {
        #(#targets)*
        const _: () = #names;
    }
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
    let mut others = Vec::new();
    if let Some(filter) = &pillow.filter {
        let (text, selector) = (option(Some(&filter.text)), option(filter.selector.as_deref()));
        others.push(quote!(filter: #text, selector: #selector));
    }
    if *transform_version != 1 {
        others.push(quote!(transform_version: #transform_version));
    }
    if let Some(settings) = &pillow.settings {
        let (text, hash) = (settings_text(settings), hexadecimal(settings.hash));
        others.push(quote!(settings: #PRIVATE::Option::Some(#text), settings_hash: #hash));
    }
    if !pillow.targets.is_empty() {
        let targets = pillow.targets.iter().map(|(target, _)| target_of(*target));
        others.push(quote!(targets: &[#(#targets),*]));
    }
    let named = quote!(#PRIVATE::PillowInfo::named(#name, #alias));
    if others.is_empty() { named } else { quote!(#PRIVATE::PillowInfo { #(#others,)* ..#named }) }
}

fn settings_text(settings: &SettingsModel) -> TokenStream {
    match &settings.text {
        SettingsText::Inline(text) => quote!(#text),
        SettingsText::File(place) => {
            let path = &place.from_crate;
            quote!(::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #path)))
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

fn transform(pillow: &PillowModel<'_>) -> (TokenStream, TokenStream) {
    let ident = pillow.ident;
    match &pillow.transform {
        None => {
            let (_, type_generics, _) = pillow.generics.split_for_impl();
            (quote_spanned!(ident.span()=> #ident #type_generics), quote!(#PRIVATE::Option::Some(self)))
        }
        Some(transform) => {
            let (function, index) = (&transform.function, &transform.index);
            // The call has the user's place, so that a wrong signature is reported there.
            let call = quote_spanned!(function.span()=> #function(self, #CHANGE));
            (quote!(#index), call)
        }
    }
}

fn check(pillow: &PillowModel<'_>, drift: &Drift) -> TokenStream {
    let facade = facade();
    let span = pillow.ident.span();
    match drift {
        Drift::Unchecked => TokenStream::new(),
        Drift::Refuse { message, .. } => {
            let error = quote_spanned!(span=> ::core::compile_error! { #message });
            quote!(#facade::__unless_bless! { #error })
        }
        Drift::Compare { fingerprint, message } => {
            let fingerprint = hexadecimal(*fingerprint);
            let checked = elided(pillow);
            let derived = quote!(<#checked as #PRIVATE::Pillow>::FINGERPRINT);
            // All of the call has the struct's place: that is where the compiler reports what it asserts.
            let private = Private::at(span);
            let compare = quote_spanned!(span=> #private::assert_fresh(#derived, #fingerprint, #message));
            quote!(#facade::__unless_bless! { const _: () = #compare; })
        }
    }
}

/// An impl that says nothing, for a struct with errors: those errors are enough.
pub(crate) fn fallback_pillow(input: &DeriveInput) -> TokenStream {
    let ident = &input.ident;
    if !input.generics.params.is_empty() {
        // Its bounds are not known, and nothing else can be said of it as a pillow.
        return TokenStream::new();
    }
    let lifetime = text_lifetime();
    in_const_block(&quote! {
        #[automatically_derived]
        impl #PRIVATE::Pillow for #ident {
            type Document<#lifetime> = Self;
            type Index = Self;
            const PILLOW: #PRIVATE::PillowInfo = #PRIVATE::PillowInfo::named("", "");
            const COMMITTED: #PRIVATE::Committed = #PRIVATE::Committed::Unchecked;
            fn accepts(&self) -> bool {
                true
            }
            fn transform(self, _: &#PRIVATE::ChangeMeta) -> #PRIVATE::Option<Self> {
                #PRIVATE::Option::Some(self)
            }
        }
    })
}
