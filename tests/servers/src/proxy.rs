//! A line to a server that breaks when it is told to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The next request is not forwarded; its connection is cut. Then all is well.
    CutBefore,
    /// The next request is forwarded, and its connection is cut when the server
    /// answers. Then all is well.
    CutAfter,
    /// Requests arrive so much later.
    Delay(Duration),
    /// Nothing arrives on either side, and nobody is told.
    Swallow,
    /// Connections are cut, and no others are made.
    Down,
}

/// A line on 127.0.0.1 to a server there. It is gone when it is dropped.
pub struct Proxy {
    port: u16,
    line: Arc<Line>,
    /// Gone only while it is dropped.
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Line {
    fault: Mutex<Fault>,
    changed: Notify,
    cuts: AtomicU32,
    refused: AtomicU32,
}

impl Proxy {
    /// A line to the server at the port `to`.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn start(to: u16) -> Self {
        let line = Arc::new(Line::default());
        let (port, given) = std::sync::mpsc::channel();
        let (end, ended) = oneshot::channel();
        let served = Arc::clone(&line);
        let thread = std::thread::spawn(move || {
            let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
            tokio.expect("a runtime").block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                port.send(listener.local_addr().expect("it has an address").port()).ok();
                tokio::select! {
                    () = serve(listener, SocketAddr::from(([127, 0, 0, 1], to)), served) => {}
                    _ = ended => {}
                }
            });
        });
        let port = given.recv().expect("the thread tells");
        Self { port, line, end: Some(end), thread: Some(thread) }
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// From now on this is wrong with the line.
    pub fn fail(&self, fault: Fault) {
        *self.line.fault() = fault;
        self.line.changed.notify_waiters();
    }

    /// All is well again. A connection that lost something is cut.
    pub fn heal(&self) {
        self.fail(Fault::None);
    }

    /// How many requests were cut.
    #[must_use]
    pub fn cuts(&self) -> u32 {
        self.line.cuts.load(Ordering::SeqCst)
    }

    /// How many connections were not made because the line is down.
    #[must_use]
    pub fn refused(&self) -> u32 {
        self.line.refused.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Line {
    fn fault(&self) -> MutexGuard<'_, Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong when a request comes; what happens once is over then.
    fn next(&self) -> Fault {
        let mut fault = self.fault();
        let now = *fault;
        if matches!(now, Fault::CutBefore | Fault::CutAfter) {
            *fault = Fault::None;
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
        now
    }
}

async fn serve(listener: TcpListener, to: SocketAddr, line: Arc<Line>) {
    while let Ok((client, _)) = listener.accept().await {
        let line = Arc::clone(&line);
        tokio::spawn(async move {
            if *line.fault() == Fault::Down {
                line.refused.fetch_add(1, Ordering::SeqCst);
            } else if let Ok(server) = TcpStream::connect(to).await {
                // However it ends, both sides are closed.
                carry(client, server, &line).await.ok();
            }
        });
    }
}

/// Carries bytes until one side ends, or the line breaks.
async fn carry(mut client: TcpStream, mut server: TcpStream, line: &Line) -> std::io::Result<()> {
    let (mut request, mut reply) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let mut lost = false;
    loop {
        let changed = line.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let fault = *line.fault();
        if fault == Fault::Down || (lost && fault != Fault::Swallow) {
            return Ok(());
        }
        tokio::select! {
            () = changed => {}
            read = client.read(&mut request) => {
                let bytes = &request[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                match line.next() {
                    Fault::CutBefore | Fault::Down => return Ok(()),
                    Fault::CutAfter => {
                        server.write_all(bytes).await?;
                        server.readable().await?;
                        return Ok(());
                    }
                    Fault::Swallow => lost = true,
                    Fault::Delay(span) => {
                        tokio::time::sleep(span).await;
                        server.write_all(bytes).await?;
                    }
                    Fault::None => server.write_all(bytes).await?,
                }
            }
            read = server.read(&mut reply) => {
                let bytes = &reply[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                if *line.fault() == Fault::Swallow {
                    lost = true;
                } else {
                    client.write_all(bytes).await?;
                }
            }
        }
    }
}
