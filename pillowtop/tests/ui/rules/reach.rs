pillowtop::rules! {
    pub(crate) rules {
        strings named "a*" => keyword;
        strings named "ab*" | "a" => text;
        type Decimal => double;
        type rust_decimal::Decimal => keyword;
        named "*_at" => date;
        dates named "opened_at" | "closed_at" => date;
        objects => dynamic = false;
        type Late => keyword;
        named "x*" => keyword;
        objects named "x" => dynamic = true;
        root => dynamic = false;
        root => dynamic = true;
    }
}

// What is wrong with the rules is enough.
#[derive(pillowtop::CouchDocument)]
#[es(rules = crate::rules)]
struct Case {
    map: std::collections::HashMap<String, u8>,
}

fn main() {}
