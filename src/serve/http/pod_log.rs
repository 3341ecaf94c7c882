//! `pods/NAME/log`.
use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::shared::Shared;

pub(crate) fn answer(shared: &Shared, _request: &Request, _namespace: &str, _name: &str) -> Result<Reply, Refusal> {
    let _ = &shared.log_root;
    Err(Refusal::NoSuchPath)
}
