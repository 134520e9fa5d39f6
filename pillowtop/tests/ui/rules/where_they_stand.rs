pillowtop::rules! {
    pub(crate) rules {
        type Decimal => duble;
        strings named "s*" => keyword, ignore_abov = 3;
        named "a.b" => keyword;
        named "" => keyword;
        named "twice" | "twice" => keyword;
        named id => keyword;
        type => keyword;
        type Twice | Twice => keyword;
        string => keyword;
        type Owner => ignore_above = 3;
        named "x" => ignore_malfromed = true;
        => keyword;
        3 => keyword;
        numbers => ;
        booleans keyword;
        dates => date skip;
        strings named "z" => text, numbers => long;
        objects => nested;
        root named "x" => dynamic = false;
        root => date_detecton = false, properties(all(text));
    }
}

pillowtop::rules! {
    pub(crate) others {}
    pub(crate) another {}
}

pillowtop::rules! { { strings => keyword; } }

pillowtop::rules! { pub(crate) names }

fn main() {}
