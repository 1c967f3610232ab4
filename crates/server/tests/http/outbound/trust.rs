//! Whom the server believes to be whom (SEC-227).

use super::fetch;
use crate::support::remote::{Remote, Shows, certificates};
use jeton::observe::metrics::Metrics;
use jeton::outbound::{Door, OutboundError, Settings};

// SEC-227
#[tokio::test]
async fn only_a_certificate_for_the_host_by_a_trusted_authority_and_of_today_is_believed() {
    for shows in [
        Shows::OtherHost,
        Shows::Expired,
        Shows::UnknownAuthority,
        Shows::Nothing,
    ] {
        let remote = Remote::showing(shows).await;
        remote.serves_document("/", "application/json", b"{}");
        let error = fetch(remote.settings(), &remote.url("/"))
            .await
            .unwrap_err();
        assert!(matches!(error, OutboundError::Tls(_)), "{shows:?}: {error}");
        assert_eq!(remote.asked(), 0, "{shows:?}");
    }
    let remote = Remote::start().await;
    remote.serves_document("/", "application/json", b"{}");
    assert!(fetch(remote.settings(), &remote.url("/")).await.is_ok());
    let unnamed = Settings {
        authorities: Vec::new(),
        ..remote.settings()
    };
    let error = fetch(unnamed, &remote.url("/")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Tls(_)), "{error}");
}

// SEC-227
#[test]
fn an_authority_that_cannot_be_read_stops_the_start() {
    for file in ["missing.pem", "right.key", "right.csr"] {
        let settings = Settings {
            authorities: vec![certificates().join(file)],
            ..Settings::default()
        };
        let error = Door::new(settings, Metrics::new().egress()).unwrap_err();
        assert!(error.contains(file), "{error}");
    }
}
