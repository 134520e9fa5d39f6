//! HQ's conventions: what its `dynamic.py` knew of a document's properties, by type and by name.
//!
//! What HQ did and no rule does: it left out, without a word, properties of types that it did not
//! know, and added `doc_type` to every object. Here an unknown type is an error, and a struct has
//! the fields that it names.

pillowtop::rules! {
    /// How HQ maps by default, in today's types.
    pub rules {
        // Lists and objects by name, and those whose contents no mapping can know. `actions` of a form in an application are one object.
        type Vec named "actions" => nested, dynamic = false;
        named "computed_" | "referrals" => object, enabled = false;
        type RawValue | Map | Value => object, dynamic = false;

        // Searched by words, and exactly.
        strings named "domain" | "name" | "external_id" | "author" | "title" | "short_description"
            => text, fields(exact(keyword, ignore_above = 8191));
        strings named "project_type" => text, analyzer = "comma";

        // The formats of `value::HqDate`: a rule takes a literal, and a test holds the two together.
        dates => date, format = "yyyy-MM-dd||yyyy-MM-dd'T'HH:mm:ssZZ||yyyy-MM-dd'T'HH:mm:ss.SSSSSS||\
            yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'||yyyy-MM-dd'T'HH:mm:ss'Z'||yyyy-MM-dd'T'HH:mm:ssZ||\
            yyyy-MM-dd'T'HH:mm:ssZZ'Z'||yyyy-MM-dd'T'HH:mm:ss.SSSZZ||yyyy-MM-dd'T'HH:mm:ss||\
            yyyy-MM-dd' 'HH:mm:ss||yyyy-MM-dd' 'HH:mm:ss.SSSSSS||yyyy-MM-dd'T'HH:mm:ss.SSSx||\
            yyyy-MM-dd'T'HH:mm:ssXXX'Z'||yyyy-MM-dd'T'HH:mm:ssXXX||yyyy-MM-dd'T'HH:mm:ss.SSSXXX";

        // CouchDB holds decimals as strings.
        type Decimal | BigDecimal => double;
        type f32 | f64 => float;
        numbers => long;

        objects => dynamic = false;
        root => dynamic = false, date_detection = false;
    }
}
