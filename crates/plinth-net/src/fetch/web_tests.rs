use super::*;
use plinth_model::Digest;
use plinth_world::SystemClock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with one request after the other; the last goes on.
#[derive(Clone, Copy)]
enum Answer {
    /// The content, or the asked part of it.
    Whole,
    /// The content from its beginning, whatever was asked.
    FromTheBeginning,
    /// So many bytes, then the connection ends.
    Cut(usize),
    /// Only this status.
    Status(u16),
    /// Another content.
    Wrong,
}

struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(content: Vec<u8>, answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            let count = AtomicUsize::new(0);
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answers[count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
                tokio::spawn(serve(stream, content.clone(), answer, Arc::clone(&seen)));
            }
        });
        Self { address, requests }
    }

    fn ranges(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let range = |request: &String| {
            let line = request.lines().find(|line| line.to_lowercase().starts_with("range:"));
            line.map_or(String::new(), |line| line["range:".len()..].trim().to_owned())
        };
        requests.iter().map(range).collect()
    }
}

async fn serve(mut stream: TcpStream, content: Vec<u8>, answer: Answer, seen: Arc<Mutex<Vec<String>>>) {
    let (mut request, mut piece) = (Vec::new(), [0; 1024]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => request.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let begun: usize = request
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=")?.trim_end_matches('-').parse().ok())
        .unwrap_or(0);
    seen.lock().unwrap().push(request);
    let all = content.len();
    let (status, body, begun) = match answer {
        Answer::Whole if begun > 0 => (206, content[begun..].to_vec(), begun),
        Answer::Whole | Answer::FromTheBeginning => (200, content, 0),
        Answer::Cut(bytes) if begun > 0 => (206, content[begun..begun + bytes].to_vec(), begun),
        Answer::Cut(bytes) => (200, content[..bytes].to_vec(), 0),
        Answer::Status(status) => (status, Vec::new(), 0),
        Answer::Wrong => (200, b"an error page".to_vec(), 0),
    };
    let length = match answer {
        Answer::Cut(_) => all - begun,
        _ => body.len(),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nContent-Range: bytes {begun}-{}/{all}\r\nConnection: close\r\n\r\n",
        all - 1
    );
    let _the_client_may_be_gone = stream.write_all(&[head.as_bytes(), &body].concat()).await;
}

struct Trial {
    folder: tempfile::TempDir,
    client: WebFiles,
    ctx: Context,
    content: Vec<u8>,
}

impl Trial {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let client = WebFiles::new(folder.path()).unwrap();
        let content = (0..200_000_u32).map(|n| n.to_le_bytes()[(n % 3) as usize]).collect();
        Self { folder, client, ctx: Context::quiet(Arc::new(SystemClock::new())), content }
    }

    fn file(&self, address: &str) -> DownloadFile {
        DownloadFile {
            name: "kubelet".into(),
            url: format!("{address}/dl.k8s.io/kubelet"),
            sha256: Digest::of_bytes(&self.content).as_str().to_owned(),
            dest: "kubelet-v1".into(),
            groups: Vec::new(),
        }
    }

    async fn fetched(&self, answers: Vec<Answer>) -> (Server, ClientResult<()>) {
        let server = Server::start(self.content.clone(), answers).await;
        let result = self.client.fetch(&self.ctx, &self.file(&server.address)).await;
        (server, result)
    }

    fn kept(&self) -> Vec<u8> {
        std::fs::read(self.client.place(&self.file("").sha256)).unwrap_or_default()
    }
}

#[tokio::test]
async fn a_file_is_fetched_once_and_is_here() {
    let trial = Trial::new();
    let (server, result) = trial.fetched(vec![Answer::Whole]).await;
    result.unwrap();
    assert!(trial.kept() == trial.content);
    let file = trial.file(&server.address);
    trial.client.fetch(&trial.ctx, &file).await.unwrap();
    assert_eq!(server.ranges(), [""], "what is here is not fetched again");
    assert_eq!(trial.client.missing(&trial.ctx, std::slice::from_ref(&file)).await.unwrap(), []);
    std::fs::remove_file(trial.client.place(&file.sha256)).unwrap();
    let missing = trial.client.missing(&trial.ctx, std::slice::from_ref(&file)).await.unwrap();
    assert_eq!(missing, std::slice::from_ref(&file));
}

#[tokio::test]
async fn files_of_one_content_are_fetched_once() {
    let trial = Trial::new();
    let server = Server::start(trial.content.clone(), vec![Answer::Whole]).await;
    let (kubelet, kubeadm) =
        (trial.file(&server.address), DownloadFile { dest: "kubeadm-v1".into(), ..trial.file(&server.address) });
    let (one, other) = tokio::join!(trial.client.fetch(&trial.ctx, &kubelet), trial.client.fetch(&trial.ctx, &kubeadm));
    one.and(other).unwrap();
    assert!(trial.kept() == trial.content);
    assert_eq!(server.ranges(), [""]);
}

#[tokio::test]
async fn a_connection_that_breaks_off_goes_on_where_it_stopped() {
    let trial = Trial::new();
    let (server, result) = trial.fetched(vec![Answer::Cut(70_000), Answer::Cut(10), Answer::Whole]).await;
    result.unwrap();
    assert!(trial.kept() == trial.content);
    assert_eq!(server.ranges(), ["", "bytes=70000-", "bytes=70010-"]);
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_begins_anew() {
    let trial = Trial::new();
    let (server, result) = trial.fetched(vec![Answer::Cut(70_000), Answer::FromTheBeginning]).await;
    result.unwrap();
    assert!(trial.kept() == trial.content);
    assert_eq!(server.ranges().len(), 2);
}

#[tokio::test]
async fn another_content_is_refused_and_not_kept() {
    let trial = Trial::new();
    let (server, result) = trial.fetched(vec![Answer::Wrong]).await;
    let error = result.unwrap_err();
    assert_eq!(error.finding.as_ref().unwrap().code, "fetch.checksum");
    assert!(error.transient.is_none() && server.ranges().len() == 1, "{error:?}");
    let left: Vec<_> = std::fs::read_dir(trial.folder.path().join("downloads")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn what_the_server_says_decides_whether_to_try_again() {
    for (status, code, tries) in [(404, "fetch.refused", 1), (403, "fetch.refused", 1)] {
        let trial = Trial::new();
        let (server, result) = trial.fetched(vec![Answer::Status(status)]).await;
        let error = result.unwrap_err();
        assert_eq!((error.finding.as_ref().unwrap().code.as_str(), server.ranges().len()), (code, tries));
        assert!(error.happened.contains(&status.to_string()), "{error:?}");
    }
    let trial = Trial::new();
    let (server, result) = trial.fetched(vec![Answer::Status(503), Answer::Whole]).await;
    result.unwrap();
    assert_eq!(server.ranges().len(), 2);
}

#[tokio::test]
async fn a_list_is_kept_and_what_is_no_list_is_absent() {
    let trial = Trial::new();
    assert_eq!(trial.client.list(&trial.ctx).await.unwrap(), None);
    let list =
        DownloadList { inputs: Digest::of_bytes(b"x"), files: vec![trial.file("https://a")], images: Vec::new() };
    trial.client.keep_list(&trial.ctx, &list).await.unwrap();
    assert_eq!(trial.client.list(&trial.ctx).await.unwrap(), Some(list));
    std::fs::write(trial.folder.path().join("downloads/list.json"), "{").unwrap();
    assert_eq!(trial.client.list(&trial.ctx).await.unwrap(), None);
}
