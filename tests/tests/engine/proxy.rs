//! A reverse proxy that serves each server below a path, as many installations have one.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// A proxy that listens until the test ends.
pub(crate) struct Proxy {
    url: String,
}

impl Proxy {
    /// Serves the port of each server below its path, such as `/couch`, and nothing else.
    pub(crate) fn start(servers: &[(&str, u16)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let servers: Vec<(String, u16)> =
            servers.iter().map(|(path, port)| ((*path).to_owned(), *port)).collect();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let servers = servers.clone();
                // Either side may be gone at any time.
                thread::spawn(move || serve(stream, &servers));
            }
        });
        Self { url }
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// One request: the server is asked to close the connection at the end of its response, so that
/// nothing needs to be parsed.
fn serve(mut client: TcpStream, servers: &[(String, u16)]) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if !line.to_ascii_lowercase().starts_with("connection:") {
            head.push(line);
        }
    }
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let target = servers.iter().find_map(|(base, port)| {
        Some((path.strip_prefix(base.as_str()).filter(|rest| rest.starts_with('/'))?, *port))
    });
    let Some((rest, port)) = target else {
        return client.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    write!(server, "{method} {rest} HTTP/1.1\r\n{}Connection: close\r\n\r\n", head.concat())?;
    let mut upload = server.try_clone()?;
    thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            if upload.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = upload.shutdown(Shutdown::Both);
    });
    let copied = io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Both);
    copied.map(|_| ())
}
