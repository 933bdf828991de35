//! Servers that are none: each ends in bounded time with a verdict.

use super::bench::{Bench, target};
use super::server::PASSWORD;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What a scripted server does.
#[derive(Clone, Copy)]
enum Act {
    /// Says this, then closes.
    Say(&'static [u8]),
    /// Says this, then is silent.
    Stay(&'static [u8]),
    /// Says this for ever.
    Repeat(&'static [u8]),
}

async fn verdict(act: Act) -> plinth_world::ClientError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        match act {
            Act::Say(bytes) => {
                stream.write_all(bytes).await.unwrap();
                let mut hello = [0; 64];
                let _whatever_it_says = stream.read(&mut hello).await;
            }
            Act::Stay(bytes) => {
                stream.write_all(bytes).await.unwrap();
                std::future::pending::<()>().await;
            }
            Act::Repeat(bytes) => while stream.write_all(bytes).await.is_ok() {},
        }
    });
    let bench = Bench::with(|config| config.connect = Duration::from_millis(500));
    let target = target(address, bench.password(PASSWORD));
    let error = bench.ssh.host_key(&bench.ctx, &target).await.unwrap_err();
    serving.abort();
    error
}

#[tokio::test]
async fn each_server_that_is_none_gets_its_verdict() {
    let truncated: &[u8] = b"SSH-2.0-OpenSSH_9.2\r\n\0\0\x04\x0c\x0a\x14garbage";
    let cases = [
        (Act::Say(b""), true, "closed the connection before it said anything"),
        (Act::Stay(b""), true, "said nothing within"),
        (
            Act::Say(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"),
            false,
            "it speaks HTTP: it began with `HTTP/1.1 400 Bad Request`",
        ),
        (Act::Say(b"220 mail.example.com ESMTP\r\n"), false, "does not speak SSH"),
        (Act::Repeat(b"welcome to the machine\r\n"), false, "does not speak SSH"),
        (Act::Repeat(&[b'x'; 512]), false, "does not speak SSH"),
        (Act::Repeat(&[0; 512]), false, "does not speak SSH"),
        (Act::Say(b"SSH-1.5-old\r\n"), false, "does not speak SSH"),
        (Act::Say(truncated), true, "during the key exchange"),
        (Act::Stay(truncated), true, "did not finish the key exchange"),
        (Act::Repeat(b"SSH-2.0-\xff\xff\xff\xff\r\n"), false, ""),
    ];
    for (act, transient, expected) in cases {
        let error = verdict(act).await;
        assert!(error.happened.contains(expected), "{expected}: {error:?}");
        assert_eq!(error.transient.is_some(), transient, "{error:?}");
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_may_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let bench = Bench::new();
    let error = bench.ssh.host_key(&bench.ctx, &target(address, bench.password(PASSWORD))).await.unwrap_err();
    assert!(error.transient.is_some() && error.attempt.contains("start sshd"), "{error:?}");
}
