//! What is answered instead of what was asked for: a status, and in both languages what was wrong and
//! what would be right.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::run::Text;

/// An answer that says why there is no other.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: Text,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, en: impl Into<String>, zh: impl Into<String>) -> Refusal {
        Refusal { status, error: Text { en: en.into(), zh: zh.into() } }
    }

    pub(super) fn foreign_host(own: &str) -> Refusal {
        Refusal::new(
            StatusCode::FORBIDDEN,
            format!("This server is called {own}; the request names another host."),
            format!("本服务器的名字是 {own}，而请求中写的是另一台主机。"),
        )
    }

    pub(super) fn foreign_origin() -> Refusal {
        let en = "Another site has sent this request.";
        Refusal::new(StatusCode::FORBIDDEN, en, "这个请求来自另一个网站。")
    }

    pub(super) fn wrong_token() -> Refusal {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "The address lacks the token: open the one that `tcpstack lab` printed.",
            "地址中缺少令牌：请打开 `tcpstack lab` 打印出的完整地址。",
        )
    }

    pub(super) fn nothing_here() -> Refusal {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "There is nothing at this address.",
            "这个地址没有内容。",
        )
    }

    pub(super) fn wrong_method() -> Refusal {
        let en = "This address does not take this method.";
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, en, "这个地址不接受该请求方法。")
    }

    /// Something that a person may have mistyped is not there.
    pub(super) fn not_found(en: impl Into<String>, zh: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, en, zh)
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Refusal {
        let why = rejection.body_text();
        let (en, zh) = (
            format!("The body is no list of rules: {why}."),
            format!("请求体不是规则列表：{why}。"),
        );
        Refusal::new(rejection.status(), en, zh)
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Refusal {
        let why = rejection.body_text();
        let (en, zh) = (format!("The address is not right: {why}."), format!("地址有误：{why}。"));
        Refusal::new(rejection.status(), en, zh)
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Refusal {
        let why = rejection.body_text();
        let (en, zh) =
            (format!("The query is not right: {why}."), format!("查询参数有误：{why}。"));
        Refusal::new(rejection.status(), en, zh)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: Text,
        }
        (self.status, Json(Body { error: self.error })).into_response()
    }
}
