//! The bytes of a file or of standard input, decompressed.

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Cursor, Error, ErrorKind, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Stands for standard input in place of a file's path.
pub(crate) const STANDARD_INPUT: &str = "-";

pub(super) type Bytes = Box<dyn BufRead + Send>;

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Formats that are recognised, and not supported.
const OTHERS: [(&[u8], &str); 3] = [(b"PK\x03\x04", "a zip archive"), (b"BZh", "bzip2"), (b"\xfd7zX", "xz")];

/// Opens a file, or standard input for `-`.
pub(super) fn open(source: &str) -> io::Result<Bytes> {
    if source == STANDARD_INPUT {
        decompressed(io::stdin())
    } else {
        decompressed(fs_err::File::open(source)?)
    }
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read_to_string(source: &str) -> io::Result<String> {
    let mut text = String::new();
    open(source)?.read_to_string(&mut text)?;
    Ok(text)
}

/// What a reader has, decompressed if it begins as gzip or zstd do.
pub(super) fn decompressed(mut source: impl Read + Send + 'static) -> io::Result<Bytes> {
    let mut start = Vec::new();
    source.by_ref().take(ZSTD.len() as u64).read_to_end(&mut start)?;
    if let Some((_, format)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Err(Error::new(ErrorKind::Unsupported, format!("{format} is not supported")));
    }
    let is_skippable = matches!(start.as_slice(), [0x50..=0x5f, 0x2a, 0x4d, 0x18]);
    let (is_gzip, is_zstd) = (start.starts_with(&GZIP), start.starts_with(&ZSTD) || is_skippable);
    let whole = Cursor::new(start).chain(source);
    Ok(if is_gzip {
        Box::new(BufReader::new(MultiGzDecoder::new(whole)))
    } else if is_zstd {
        let source = BufReader::new(whole);
        Box::new(BufReader::new(Zstd { source, frame: FrameDecoder::new(), is_inside: false }))
    } else {
        Box::new(BufReader::new(whole))
    })
}

/// The frames of a zstd stream, one after the other.
struct Zstd<R: Read> {
    source: BufReader<R>,
    frame: FrameDecoder,
    is_inside: bool,
}

impl<R: Read> Zstd<R> {
    /// Reads the header of the next frame with content; there is none at the end.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.frame.init(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut self.source.by_ref().take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(invalid(error)),
            }
        }
        Ok(false)
    }

    fn is_corrupt(&self) -> bool {
        let (stored, computed) = (self.frame.get_checksum_from_data(), self.frame.get_calculated_checksum());
        stored.zip(computed).is_some_and(|(stored, computed)| stored != computed)
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_inside && !self.begin_frame()? {
                return Ok(0);
            }
            self.is_inside = true;
            while self.frame.can_collect() == 0 && !self.frame.is_finished() {
                let step = BlockDecodingStrategy::UptoBlocks(1);
                self.frame.decode_blocks(&mut self.source, step).map_err(invalid)?;
            }
            let read = self.frame.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if self.is_corrupt() {
                return Err(invalid("the checksum of its contents is another one"));
            }
            self.is_inside = false;
        }
    }
}

fn invalid(reason: impl Display) -> Error {
    Error::new(ErrorKind::InvalidData, reason.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &str) -> Vec<u8> {
        compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
    }

    fn text_of(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        decompressed(Cursor::new(bytes))?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn compressed_bytes_are_decompressed_in_all_their_parts() {
        let long = "{\"a\": 1}\n".repeat(50_000);
        let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &zstd("b")].concat();
        for (bytes, expected) in [
            (b"plain".to_vec(), "plain"),
            (Vec::new(), ""),
            (b"{".to_vec(), "{"),
            (gzip(&long), long.as_str()),
            ([gzip("a"), gzip("b")].concat(), "ab"),
            (zstd(&long), long.as_str()),
            ([zstd("a"), zstd(""), zstd("b")].concat(), "ab"),
            (skippable, "b"),
        ] {
            assert!(text_of(bytes).unwrap() == expected);
        }
    }

    #[test]
    fn a_part_of_a_compressed_file_is_an_error() {
        for whole in [gzip("some text that is long enough"), zstd("some text that is long enough")] {
            for length in [4, whole.len() / 2, whole.len() - 1] {
                assert!(text_of(whole[..length].to_vec()).is_err(), "{length} bytes");
            }
        }
        let refused = text_of(b"PK\x03\x04...".to_vec()).unwrap_err();
        assert!(refused.to_string().contains("zip archive"), "{refused}");
    }
}
