//! Bytes in `_source` as a `binary` field takes them: base64 text. `serde_json` would write a list
//! of numbers.

use std::io::{self, Write};

use serde_json::ser::Formatter;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Compact JSON with bytes (`serde_bytes`) as base64 text.
#[derive(Debug)]
pub(crate) struct BytesAsText;

impl Formatter for BytesAsText {
    fn write_byte_array<W: Write + ?Sized>(&mut self, writer: &mut W, bytes: &[u8]) -> io::Result<()> {
        writer.write_all(b"\"")?;
        for three in bytes.chunks(3) {
            writer.write_all(&four_letters(three))?;
        }
        writer.write_all(b"\"")
    }
}

/// Up to three bytes as four letters, padded with `=`.
fn four_letters(bytes: &[u8]) -> [u8; 4] {
    let byte = |position: usize| u32::from(bytes.get(position).copied().unwrap_or(0));
    let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    let letter = |position: usize| LETTERS[(bits >> (18 - 6 * position)) as usize & 63];
    let or_padding = |position: usize| if position <= bytes.len() { letter(position) } else { b'=' };
    [letter(0), letter(1), or_padding(2), or_padding(3)]
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    struct Bytes(&'static [u8]);

    impl Serialize for Bytes {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }

    #[test]
    fn bytes_are_base64_with_padding() {
        // The examples of RFC 4648, section 10.
        let examples: [(&[u8], &str); 8] = [
            (b"", "\"\""),
            (b"f", "\"Zg==\""),
            (b"fo", "\"Zm8=\""),
            (b"foo", "\"Zm9v\""),
            (b"foob", "\"Zm9vYg==\""),
            (b"fooba", "\"Zm9vYmE=\""),
            (b"foobar", "\"Zm9vYmFy\""),
            (&[0xff, 0xef], "\"/+8=\""),
        ];
        for (bytes, expected) in examples {
            let mut written = Vec::new();
            let mut serializer = serde_json::Serializer::with_formatter(&mut written, BytesAsText);
            Bytes(bytes).serialize(&mut serializer).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }
}
