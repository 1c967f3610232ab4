//! A device, and the person who walks from it to a browser.

use super::browser::asks_password;
use super::{Answer, Browser, Fields, TestServer};
use crate::support::browser::form;
use jeton_protocol::client::GrantType;

/// What a device was told.
#[derive(Clone, Debug)]
pub struct Started {
    pub device_code: String,
    pub user_code: String,
}

impl Started {
    pub async fn by(server: &TestServer, client: &str) -> Self {
        Self::asking(server, client, "openid offline_access").await
    }

    pub async fn asking(server: &TestServer, client: &str, scope: &str) -> Self {
        let answer = server.start_device(client, scope).await.expect(200).json();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Self {
            device_code: text("device_code"),
            user_code: text("user_code"),
        }
    }
}

impl TestServer {
    pub async fn start_device(&self, client: &str, scope: &str) -> Answer {
        self.post_as(
            client,
            "/device_authorization",
            &Fields::from([("scope", scope)]),
        )
        .await
    }

    pub async fn poll(&self, client: &str, device_code: &str) -> Answer {
        let fields = Fields::from([
            ("grant_type", GrantType::DeviceCode.name()),
            ("device_code", device_code),
        ]);
        self.token(client, &fields).await
    }
}

impl Browser {
    /// Opens the address a device shows, and signs in if asked to.
    pub async fn code_page(&mut self, user: &str) -> Answer {
        let page = self.go(self.server.get("/device")).await;
        if asks_password(&page) {
            self.sign_in(&page, user).await
        } else {
            page
        }
    }

    pub async fn enter(&mut self, page: &Answer, user_code: &str) -> Answer {
        self.submit(page, &[("user_code", user_code), ("enter", "yes")])
            .await
    }

    /// Goes all the way to the question whether this is one's own device.
    pub async fn at_device(&mut self, device: &Started, user: &str) -> Answer {
        let page = self.code_page(user).await;
        let page = self.enter(&page, &device.user_code).await.expect(200);
        assert!(asks_about_device(&page), "{}", page.body);
        page
    }

    pub async fn answer_device(&mut self, device: &Started, user: &str, button: &str) -> Answer {
        let page = self.at_device(device, user).await;
        self.submit(&page, &[(button, "yes")]).await
    }
}

pub fn asks_about_device(answer: &Answer) -> bool {
    answer.is_page() && form(answer).action.ends_with("/device/confirm")
}

pub fn asks_code(answer: &Answer) -> bool {
    answer.is_page() && form(answer).action.ends_with("/device/code")
}
