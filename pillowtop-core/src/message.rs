//! Messages of several parts that const evaluation panics with: `format!` does not run there.

/// How long a message grows; what does not fit is left out, and the message says so.
const LENGTH: usize = 6 * 1024;
/// Kept for saying so.
const RESERVE: usize = 64;

/// A string that grows in const evaluation.
pub(crate) struct Message {
    bytes: [u8; LENGTH],
    length: usize,
    /// Where the last whole line ends.
    whole: usize,
    is_full: bool,
}

/// Panics with a message of several parts, hence with a compile error at the caller.
#[track_caller]
pub const fn panic_with(parts: &[&str]) -> ! {
    let mut message = Message::EMPTY;
    let mut position = 0;
    while position < parts.len() {
        message.text(parts[position]);
        position += 1;
    }
    panic!("{}", message.as_str());
}

impl Message {
    pub(crate) const EMPTY: Self = Self { bytes: [0; LENGTH], length: 0, whole: 0, is_full: false };

    pub(crate) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(crate) const fn text(&mut self, text: &str) {
        let text = text.as_bytes();
        if self.length + text.len() > LENGTH - RESERVE {
            self.is_full = true;
            return;
        }
        let mut position = 0;
        while position < text.len() {
            self.bytes[self.length] = text[position];
            self.length += 1;
            position += 1;
        }
    }

    pub(crate) const fn begin_line(&mut self) {
        if self.length > 0 {
            self.text("\n");
        }
    }

    pub(crate) const fn end_line(&mut self) {
        if self.is_full {
            self.length = self.whole;
        } else {
            self.whole = self.length;
        }
    }

    pub(crate) const fn number(&mut self, number: u16) {
        if number >= 10 {
            self.number(number / 10);
        }
        if self.length < LENGTH {
            // A digit fits a byte.
            self.bytes[self.length] = b'0' + (number % 10) as u8;
            self.length += 1;
        }
    }

    /// Says that there is more if there is, and what to do if there is anything.
    pub(crate) const fn finish(&mut self, help: &str) {
        if self.length == 0 {
            return;
        }
        if self.is_full {
            self.is_full = false;
            self.reserved("\n… and more");
        }
        self.reserved(help);
    }

    /// Text for which there is room of its own.
    const fn reserved(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut position = 0;
        while position < text.len() && self.length < LENGTH {
            self.bytes[self.length] = text[position];
            self.length += 1;
            position += 1;
        }
    }

    pub(crate) const fn as_str(&self) -> &str {
        // Whole strings were put in, so it is one.
        match str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}
