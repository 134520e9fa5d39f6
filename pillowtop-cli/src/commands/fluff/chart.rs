//! A chart of a calculator by periods, as SVG.

use std::fmt::Write as _;

use pillowtop_fluff::sql::ResultRow;

const WIDTH: usize = 720;
const HEIGHT: usize = 260;
const BASE: usize = 220;

/// Bars of an emitter's values, one for each period.
pub(crate) fn chart(title: &str, rows: &[ResultRow], calculator: &str, emitter: &str) -> String {
    let values: Vec<(String, f64)> = rows
        .iter()
        .filter_map(|row| {
            let value = row.get(calculator, emitter)?;
            let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))?;
            Some((row.period.clone()?, number))
        })
        .collect();
    let most = values.iter().map(|(_, value)| *value).fold(1.0_f64, f64::max);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<title>{0}</title>\n<text x=\"10\" y=\"18\" font-size=\"14\">{0}</text>\n",
        escaped(title)
    );
    let step = (WIDTH - 20) / values.len().max(1);
    for (position, (period, value)) in values.iter().enumerate() {
        let x = 10 + position * step;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "pixels"
        )]
        let height = (value.max(0.0) / most * (BASE - 50) as f64) as usize;
        let (bar, middle, top) = (step * 7 / 10, x + step * 7 / 20, BASE - height);
        let _ = write!(
            svg,
            "<rect x=\"{x}\" y=\"{top}\" width=\"{bar}\" height=\"{height}\" fill=\"#3572a5\"/>\n\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{value}</text>\n\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            top - 4,
            BASE + 16,
            escaped(period)
        );
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_period_has_a_bar() {
        let row = |period: &str, value: i64| ResultRow {
            period: Some(period.to_owned()),
            values: vec![("visits".to_owned(), "total".to_owned(), json!(value))],
        };
        let svg = chart("visits < all", &[row("2012-01", 2), row("2012-02", 4)], "visits", "total");
        assert!(svg.contains("visits &lt; all") && svg.contains(">2012-02<"), "{svg}");
        assert!(svg.contains("height=\"85\"") && svg.contains("height=\"170\""), "{svg}");
    }
}
