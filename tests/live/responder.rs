//! A service that this project did not write: tasks of an `async-nats` client, of which so many work at a time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::server::Server;

/// Answers until it is dropped.
pub struct Responder(Option<Runtime>);

impl Responder {
    /// Answers what comes to a subject: so many requests at a time, each after so long.
    pub fn start(
        server: &Server,
        subject: &'static str,
        workers: usize,
        time: Duration,
    ) -> Responder {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("threads");
        let url = server.url();
        let (client, mut requests) = runtime.block_on(async {
            let client = async_nats::connect(url).await.expect("a connection");
            let requests = client.subscribe(subject).await.expect("a subscription");
            client.flush().await.expect("it is there");
            (client, requests)
        });
        let free = Arc::new(Semaphore::new(workers));
        runtime.spawn(async move {
            while let Some(request) = requests.next().await {
                let (client, free) = (client.clone(), Arc::clone(&free));
                tokio::spawn(async move {
                    let permit = free.acquire().await.expect("it is never closed");
                    sleep(time).await;
                    drop(permit);
                    if let Some(reply) = request.reply {
                        let _ = client.publish(reply, request.payload).await;
                    }
                });
            }
        });
        Responder(Some(runtime))
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
