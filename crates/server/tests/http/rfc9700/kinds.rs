//! Every kind of thing at every place that takes another kind: refused, and the original still works once.

use super::sinks::{Given, SINKS, accepts};
use crate::support::TestServer;

// S17, SEC-011, SEC-033, SEC-034, SEC-169, SEC-176
#[tokio::test]
async fn no_kind_of_token_passes_for_another() {
    let server = TestServer::start().await;
    let given = Given::by(&server).await;
    let mut wrong = Vec::new();
    for sink in SINKS {
        for (kind, value) in given.of.iter().filter(|(kind, _)| !sink.takes(*kind)) {
            if accepts(&server, sink, value, &given).await {
                wrong.push(format!("{kind:?} at {sink:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    // Redeeming last: it ends nothing the others need.
    for sink in SINKS.into_iter().rev() {
        for (kind, value) in given.of.iter().filter(|(kind, _)| sink.takes(*kind)) {
            assert!(
                accepts(&server, sink, value, &given).await,
                "{kind:?} at {sink:?}, where it belongs"
            );
        }
    }
}
