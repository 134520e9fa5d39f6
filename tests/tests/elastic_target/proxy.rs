//! A proxy before the server of the tests, which can fail requests and count them.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::endpoint;

/// What becomes of a request.
pub(crate) enum Fate {
    /// It is passed on.
    Pass,
    /// It is passed on after this time.
    Delay(Duration),
    /// The proxy responds with this status and body.
    Respond(u16, &'static str),
}

/// Decides about a request by its method and path.
type Decide = dyn Fn(&str) -> Fate + Send + Sync;

/// Starts a proxy that lives as long as the test; its URL.
pub(crate) async fn start(decide: impl Fn(&str) -> Fate + Send + Sync + 'static) -> String {
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
    match decide(method_and_path) {
        Fate::Pass => {}
        Fate::Delay(time) => tokio::time::sleep(time).await,
        Fate::Respond(status, body) => {
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} Injected\r\nconnection: close\r\ncontent-length: {length}\r\n");
            return client
                .write_all(format!("{head}content-type: application/json\r\n\r\n{body}").as_bytes())
                .await;
        }
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
