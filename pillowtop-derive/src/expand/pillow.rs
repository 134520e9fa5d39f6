//! The impl of `#[derive(Pillow)]`.

use pillowtop_core::analysis::NameKind;
use pillowtop_core::analysis::defined;
use pillowtop_core::field_types::{Product, Target};
use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Ident, Lifetime};

use super::document::option;
use super::drift::Drift;
use super::mapping::hexadecimal;
use crate::committed::Location;
use crate::errors::with_help;
use crate::facade::Facade;
use crate::filter::{field_value, predicate};
use crate::idents::{
    CHANGE, FOUND, PRIVATE, Private, VALUE, in_const_block, index_alias, own_self, text_lifetime,
};
use crate::model::{
    LookupModel, PillowModel, RoutingModel, RoutingSource, SettingsModel, SettingsText, TransformModel,
};
use crate::parse::{StructReceiver, StructShape, mentions};

/// The impl of a pillow without errors.
pub(crate) fn expand_pillow(facade: &Facade, pillow: &PillowModel<'_>, drift: &Drift) -> TokenStream {
    let ident = pillow.ident;
    let info = info(pillow);
    let committed = drift.committed(facade, &PRIVATE, pillow.mapping.as_ref());
    let accepts = pillow.filter.as_ref().map_or_else(|| quote!(true), |model| predicate(&model.filter));
    // Brings the reading of plain fields into scope, where there is a field to read.
    let plain = pillow.filter.is_some().then(|| quote!(use #PRIVATE::Plain as _;));
    // `Self::Index` in a signature would have the compiler ask once more whether all bounds hold.
    let Made { alias, index, transform } = made(pillow);
    let routing = pillow.routing.as_ref().map(routing);
    let (lookup, functions) = functions(pillow, &index, &transform);
    let checked = elided(pillow);
    let derived = quote!(<#checked as #PRIVATE::Pillow>::FINGERPRINT);
    let span = ident.span();
    let check = drift.check(facade, span, &Private::at(span), &derived);
    let surroundings = surroundings(pillow);
    let implementing = implementing(ident, pillow.generics);
    let lifetime = text_lifetime();
    let document = with_lifetime(pillow, &lifetime);
    in_const_block(
        facade,
        &quote! {
            #alias
            #[automatically_derived]
            #implementing {
                type Document<#lifetime> = #document;
                type Index = #index;
                type Lookup = #lookup;
                const PILLOW: #PRIVATE::PillowInfo = #info;
                const COMMITTED: #PRIVATE::Committed = #committed;
                fn accepts(&self) -> bool {
                    #plain
                    #accepts
                }
                #routing
                #functions
            }
            #check
            #surroundings
        },
    )
}

/// The routing value of a document. What is read or called has the user's place, so that a wrong
/// type is reported there.
fn routing(model: &RoutingModel) -> TokenStream {
    let value = match &model.source {
        RoutingSource::Field(field) => {
            let (span, value) = (field.last().span(), field_value(field));
            let (private, local) = (Private::at(span), VALUE.at(span));
            let read = quote_spanned!(span=> #private::RoutingField::routing(#local));
            quote!(use #PRIVATE::Plain as _; #value.map(|#VALUE| #read))
        }
        RoutingSource::Function(function) => {
            let span = function.span();
            let (private, own_self) = (Private::at(span), own_self(span));
            quote_spanned!(span=> #private::RoutingFunction::<Self>::apply(#function, #own_self))
        }
    };
    quote! {
        fn routing(&self) -> #PRIVATE::Option<::std::string::String> {
            #value
        }
    }
}

/// The type of the lookup, and what becomes of a document.
fn functions(
    pillow: &PillowModel<'_>,
    index: &TokenStream,
    transform: &TokenStream,
) -> (TokenStream, TokenStream) {
    let head = quote!(self, #CHANGE: &#PRIVATE::ChangeMeta);
    let Some(LookupModel { lookup, keys }) = pillow.lookup() else {
        let functions = quote!(fn transform(#head) -> #PRIVATE::Option<#index> { #transform });
        return (quote!(#PRIVATE::NoLookup), functions);
    };
    // What is called has the user's place, so that a wrong signature is reported there.
    let (private, own_self) = (Private::at(keys.span()), own_self(keys.span()));
    let apply = quote_spanned!(keys.span()=> #private::LookupKeys::<Self, #lookup>::apply(#keys, #own_self));
    let functions = quote! {
        fn transform(#head) -> #PRIVATE::Option<#index> {
            #PRIVATE::Pillow::transform_with(self, #CHANGE, &#PRIVATE::Found::default())
        }
        fn lookup_keys(&self) -> ::std::vec::Vec<<#lookup as #PRIVATE::Lookup>::Key> {
            #apply
        }
        fn transform_with(#head, #FOUND: &#PRIVATE::Found<#lookup>) -> #PRIVATE::Option<#index> {
            #transform
        }
    };
    (lookup.to_token_stream(), functions)
}

/// The head of an impl with the struct's place: whatever the compiler says of the trait's bounds,
/// it says there.
fn implementing(ident: &Ident, generics: &Generics) -> TokenStream {
    let (span, private) = (ident.span(), Private::at(ident.span()));
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote_spanned!(span=> impl #impl_generics #private::Pillow for #ident #type_generics #where_clause)
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

/// Whether targets and settings have what the mapping asks of them: only the compiler sees all of
/// the mapping.
fn surroundings(pillow: &PillowModel<'_>) -> TokenStream {
    let (ident, asked) = (pillow.ident, elided(pillow));
    // Each call has the place of what it asks, for that is where the compiler reports what it asserts.
    let targets = pillow.targets.iter().map(|(target, span)| {
        let (private, target) = (Private::at(*span), target_of(*target));
        let call = quote_spanned!(*span=> #private::assert_target::<#asked>(#target));
        quote!(const _: () = #call;)
    });
    let asserted = match (&pillow.settings, &pillow.transform) {
        (None, None) => {
            let private = Private::at(ident.span());
            quote_spanned!(ident.span()=> const _: () = #private::assert_plain::<#asked>();)
        }
        (settings, transform) => {
            let span = settings.as_ref().map_or_else(|| ident.span(), |settings| settings.span);
            let (private, names) = (Private::at(span), defined_names(settings.as_ref()));
            let names = quote_spanned!(span=> #private::assert_names::<#asked>(#names));
            let span = transform.as_ref().map_or_else(|| ident.span(), |transform| transform.index.span());
            let private = Private::at(span);
            let root = quote_spanned!(span=> #private::assert_root::<#asked>());
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
    let mut others = Vec::new();
    if let Some(filter) = &pillow.filter {
        let (text, selector) = (option(Some(&filter.text)), option(filter.selector.as_deref()));
        others.push(quote!(filter: #text, selector: #selector));
        if filter.is_immutable {
            others.push(quote!(filter_is_immutable: true));
        }
    }
    if let Some(routing) = &pillow.routing {
        let text = option(Some(&routing.text));
        others.push(quote!(routing: #text));
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
    if let Some(samples) = &pillow.samples {
        let text = included(samples);
        others.push(quote!(samples: #PRIVATE::Option::Some(#text)));
    }
    let named = quote!(#PRIVATE::PillowInfo::named(#name, #alias));
    if others.is_empty() { named } else { quote!(#PRIVATE::PillowInfo { #(#others,)* ..#named }) }
}

fn settings_text(settings: &SettingsModel) -> TokenStream {
    match &settings.text {
        SettingsText::Inline(text) => quote!(#text),
        SettingsText::File(location) => included(location),
    }
}

/// The text of a file, which cargo tracks.
fn included(location: &Location) -> TokenStream {
    let path = &location.from_crate;
    quote!(::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #path)))
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
    let Some(TransformModel { function, index, of_index, .. }) = &pillow.transform else {
        let (_, type_generics, _) = pillow.generics.split_for_impl();
        let index = quote_spanned!(ident.span()=> #ident #type_generics);
        return Made { alias: None, index, transform: quote!(#PRIVATE::Option::Some(self)) };
    };
    if mentions(index, &Ident::new("Self", index.span())) || !pillow.generics.params.is_empty() {
        // `Self` and lifetimes mean something in the impl alone.
        let transform = apply(pillow, function.span(), index, function);
        return Made { alias: None, index: index.to_token_stream(), transform };
    }
    let alias = index_alias(index.span());
    // What is called has the user's place, so that a wrong signature is reported there.
    let span = function.span();
    let function = match of_index {
        Some(name) => quote_spanned!(span=> <#alias>::#name),
        None => quote!(#function),
    };
    let transform = apply(pillow, span, &alias, &function);
    Made { alias: Some(quote!(type #alias = #index;)), index: alias.into_token_stream(), transform }
}

/// The call of a transform, with the user's place.
fn apply(
    pillow: &PillowModel<'_>,
    span: Span,
    index: &impl ToTokens,
    function: &impl ToTokens,
) -> TokenStream {
    let (private, own_self) = (Private::at(span), own_self(span));
    match pillow.lookup() {
        None => {
            quote_spanned!(span=> #private::Transform::<Self, #index>::apply(#function, #own_self, #CHANGE))
        }
        Some(LookupModel { lookup, .. }) => quote_spanned! {span=>
            #private::TransformWith::<Self, #lookup, #index>::apply(#function, #own_self, #CHANGE, #FOUND)
        },
    }
}

/// A placeholder impl, for a struct with errors: those errors are enough. Where the compiler alone
/// is to report one, it cannot be used: should the compiler be content, no pillow without a name
/// gets into a program.
pub(crate) fn fallback_pillow(
    facade: &Facade,
    receiver: &StructReceiver<'_>,
    is_left_to_compiler: bool,
) -> TokenStream {
    let ident = receiver.ident;
    let is_object = matches!(receiver.shape, StructShape::Named(_));
    if !is_object || !receiver.generics.params.is_empty() || receiver.borrowed().next().is_some() {
        // It cannot have an impl: it is not a document, its bounds are not known, or what it borrows
        // outlives nothing.
        return TokenStream::new();
    }
    let (implementing, lifetime) = (implementing(ident, receiver.generics), text_lifetime());
    let info = if is_left_to_compiler {
        let message = with_help(
            format!(
                "`{ident}` has no `#[couch(…)]` or no `#[pillow(…)]`, but an attribute of nearly that name"
            ),
            "write `#[couch(…)]` and `#[pillow(…)]` letter by letter",
        );
        quote!(::core::panic!(#message))
    } else {
        quote!(#PRIVATE::PillowInfo::named("", ""))
    };
    in_const_block(
        facade,
        &quote! {
            #[automatically_derived]
            #implementing {
                type Document<#lifetime> = #ident;
                type Index = #ident;
                type Lookup = #PRIVATE::NoLookup;
                const PILLOW: #PRIVATE::PillowInfo = #info;
                const COMMITTED: #PRIVATE::Committed = #PRIVATE::Committed::Unchecked;
                fn accepts(&self) -> bool {
                    true
                }
                fn transform(self, _: &#PRIVATE::ChangeMeta) -> #PRIVATE::Option<#ident> {
                    #PRIVATE::Option::Some(self)
                }
            }
        },
    )
}
