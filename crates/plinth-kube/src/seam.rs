//! Every request to an API server is told in the log: its verb, its path without the query, the status of the answer, the time. Bodies
//! are not.

use http::{Request, Response};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use plinth_world::seam::Seam;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower::Service;
use tower::layer::layer_fn;

/// A client whose requests are told.
///
/// # Errors
/// As for [`Client`]: when the certificate, the key or the authority of the configuration cannot be used.
pub(super) fn client(config: Config) -> kube::Result<Client> {
    Ok(ClientBuilder::try_from(config)?.with_layer(&layer_fn(Told)).build())
}

/// What the requests go through.
struct Told<S>(S);

impl<S, B> Service<Request<Body>> for Told<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let seam = Seam::request("kube", || format!("{} {}", request.method(), request.uri().path()));
        let answer = self.0.call(request);
        Box::pin(async move {
            let answer = answer.await;
            match &answer {
                Ok(answer) => seam.end(format_args!("HTTP {}", answer.status().as_u16())),
                Err(_) => seam.end("no answer"),
            }
            answer
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_request_is_told_with_its_verb_its_path_and_its_status_but_without_its_query() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = format!("http://{}", listener.local_addr().unwrap());
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _request = stream.read(&mut [0; 4096]).await.unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
        };
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).without_time();
        let _listening = tracing::subscriber::set_default(log.with_writer(move || writer.clone()).finish());
        let client = client(Config::new(place.parse().unwrap())).unwrap();
        let request = Request::get("/readyz?verbose=secret").body(Vec::new()).unwrap();
        let (answer, ()) = tokio::join!(client.request_text(request), server);
        assert_eq!(answer.unwrap(), "ok");
        let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let ours: Vec<&str> = told.lines().filter(|line| line.contains(" kube: ")).collect();
        let [begins, ends] = ours.as_slice() else { panic!("{told}") };
        assert!(begins.trim().starts_with("TRACE") && begins.ends_with("kube: GET /readyz: begins"), "{begins}");
        assert!(ends.trim().starts_with("DEBUG") && ends.contains("kube: GET /readyz: HTTP 200, after "), "{ends}");
    }
}
