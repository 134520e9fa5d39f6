//! The little HTTP that is needed to see whether a server is up and to check that it works.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body. Bytes that are not UTF-8 are replaced.
    pub body: String,
}

/// Sends one request to `http://127.0.0.1:{port}{path}` and reads the answer, 60 seconds at most. A body is sent as JSON.
///
/// HTTP/1.0, so that servers close the connection. Newer ones send chunks all the same.
pub fn request(port: u16, method: &str, path: &str, body: &str) -> io::Result<Response> {
    request_within(port, method, path, body, Duration::from_mins(1))
}

/// As [`request`], with the longest wait for connection, and for each read.
pub(crate) fn request_within(
    port: u16,
    method: &str,
    path: &str,
    body: &str,
    wait: Duration,
) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), wait)?;
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| io::Error::other("the answer is not HTTP"))
}

fn parse(text: &str) -> Option<Response> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.get(..3)?.parse().ok()?;
    let is_chunked = head.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked");
    let body = if is_chunked { dechunked(body)? } else { body.to_owned() };
    Some(Response { status, body })
}

/// The body of a response in chunks, each after its length in bytes.
fn dechunked(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (length, after) = rest.split_once("\r\n")?;
        let length = usize::from_str_radix(length.trim(), 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.push_str(after.get(..length)?);
        rest = after.get(length..)?.strip_prefix("\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_status_and_body() {
        let response = parse("HTTP/1.1 404 Object Not Found\r\nServer: x\r\n\r\n{\"a\":1}\n").unwrap();
        assert_eq!((response.status, response.body.as_str()), (404, "{\"a\":1}\n"));
        assert!(parse("SSH-2.0-OpenSSH\r\n\r\n").is_none());
        assert!(parse("HTTP/1.0 200 OK").is_none());
        let chunks =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n";
        assert_eq!(parse(chunks).unwrap().body, "{\"a\":1}");
    }
}
