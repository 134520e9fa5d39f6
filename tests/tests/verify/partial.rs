//! A cluster whose listings lack a shard. No setting takes a shard with data from a node that is
//! the only one, so a proxy rewrites what the server reports of its shards.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// What a listing requests, and nothing else.
const LISTING: &str = "filter_path=_scroll_id";

/// A proxy that listens until the test ends.
pub(crate) struct Partial;

impl Partial {
    /// Serves the cluster at a port; the address.
    pub(crate) fn start(port: u16) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Either side may be gone at any time.
                thread::spawn(move || serve(stream, port));
            }
        });
        url
    }
}

/// One request: the server is asked to close the connection at the end of its response.
fn serve(mut client: TcpStream, port: u16) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let (mut head, mut length) = (first.clone(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        let name = line.to_ascii_lowercase();
        if let Some(value) = name.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
        if !name.starts_with("connection:") && !name.starts_with("accept-encoding:") {
            head += &line;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    write!(server, "{head}Connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    let mut response = Vec::new();
    server.read_to_end(&mut response)?;
    if first.contains(LISTING) {
        response = String::from_utf8_lossy(&response).replace("\"failed\":0", "\"failed\":1").into_bytes();
    }
    client.write_all(&response)
}
