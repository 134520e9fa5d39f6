//! A proxy before the server of the tests, which can fail requests and count them.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::endpoint;

/// Decides about a request by its method and path: a status to fail it with, or nothing to pass it on.
type Decide = dyn Fn(&str) -> Option<u16> + Send + Sync;

/// Starts a proxy that lives as long as the test; its URL.
pub(crate) async fn start(decide: impl Fn(&str) -> Option<u16> + Send + Sync + 'static) -> String {
    let decide: Arc<Decide> = Arc::new(decide);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let decide = Arc::clone(&decide);
            // A client that went away is not a failure of the proxy.
            tokio::spawn(async move { forward(client, decide.as_ref()).await.ok() });
        }
    });
    url
}

/// Handles the one request of a connection.
async fn forward(mut client: TcpStream, decide: &Decide) -> std::io::Result<()> {
    let mut request = Vec::new();
    let head = loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    };
    let text = String::from_utf8_lossy(&request[..head]).into_owned();
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    while request.len() < head + length.unwrap_or(0) {
        client.read_buf(&mut request).await?;
    }
    let line = text.lines().next().unwrap_or_default();
    let method_and_path = line.trim_end_matches(" HTTP/1.1").split('?').next().unwrap_or_default();
    if let Some(status) = decide(method_and_path) {
        let body = r#"{"error":{"type":"injected","reason":"by the proxy"}}"#;
        let length = body.len();
        let response = format!(
            "HTTP/1.1 {status} Injected\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        return client.write_all(response.as_bytes()).await;
    }
    let server = endpoint().url(&[]);
    let mut server =
        TcpStream::connect((server.host_str().unwrap(), server.port_or_known_default().unwrap())).await?;
    let (line, rest) = text.split_once("\r\n").unwrap_or_default();
    server.write_all(format!("{line}\r\nconnection: close\r\n{rest}").as_bytes()).await?;
    server.write_all(&request[head..]).await?;
    // The server closes the connection without saying so.
    let mut response = Vec::new();
    server.read_to_end(&mut response).await?;
    let status = response.windows(2).position(|window| window == b"\r\n").unwrap_or(0);
    client.write_all(&response[..status]).await?;
    client.write_all(b"\r\nconnection: close").await?;
    client.write_all(&response[status..]).await?;
    client.shutdown().await
}
