use pillowtop::CouchDocument;

#[derive(CouchDocument)]
struct Case {
    #[es(scaled_float)]
    price: f64,
}

fn main() {}
