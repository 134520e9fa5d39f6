//! Bytes in `_source` as a `binary` field takes them: a base64 string. `serde_json` would write a
//! list of numbers.

use std::io::{self, Write};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde_json::ser::Formatter;

/// Compact JSON with bytes (`serde_bytes`) as base64 strings.
#[derive(Debug)]
pub(crate) struct BytesAsText;

impl Formatter for BytesAsText {
    fn write_byte_array<W: Write + ?Sized>(&mut self, writer: &mut W, bytes: &[u8]) -> io::Result<()> {
        write!(writer, "\"{}\"", Base64Display::new(bytes, &STANDARD))
    }
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
