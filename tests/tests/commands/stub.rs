//! A CouchDB of a test's own words: what the double cannot be made to do, such as copies that lag.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A server that responds to each path as told; on `None` it never responds.
pub(crate) struct Stub {
    pub(crate) url: String,
}

impl Stub {
    /// It listens until the test ends.
    pub(crate) fn start(response: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let response = Arc::new(response);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let response = Arc::clone(&response);
                thread::spawn(move || serve(stream, response.as_ref()));
            }
        });
        Self { url }
    }
}

fn serve(mut stream: TcpStream, response: &dyn Fn(&str) -> Option<String>) {
    let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
    let Some(Ok(first)) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    // Whoever asked may be gone at any time.
    let _ = lines.map_while(Result::ok).find(String::is_empty);
    match response(&path) {
        Some(body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all((head + &body).as_bytes());
        }
        None => loop {
            thread::park();
        },
    }
}
