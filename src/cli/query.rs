//! `nodepods query`: the pods that a query selects, for people.

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};

use super::client::PodsClient;
use super::clock::now;
use super::command::Command;
use super::exit::{Exit, Failure};
use super::export::one_query;
use super::grid::Grid;
use super::output::{print, warn};
use super::screen::Screen;
use super::socket;
use crate::codec::wire::{self, Value, WireError};
use crate::pod::columns::age;
use crate::query::pod::ContainerInstance;
use crate::query::{json, wire as pod_wire, Pod};

/// `v1.PodService/GetPods`.
const GET_PODS: &str = "/v1.PodService/GetPods";
const NONE: &str = "<none>";

/// Find pods by a query, such as 'Namespace:web+Container Name:nginx'. Shows how many instances of their containers
/// run, how many have ended, and how the last one ended. The most that is shown is 1,000 pods; nodepods export has no
/// such limit.
#[derive(ArgsInfo, Debug, Default, FromArgs)]
#[argh(
    subcommand,
    name = "query",
    help_triggers("-h", "--help"),
    example = "nodepods query Namespace:kube-system\nnodepods query 'Pod Label:app=shop+Pod Name:!r/-canary-' -o wide\nnodepods query --sort-by 'Pod Name' --limit 10 -o json"
)]
pub struct QueryPods {
    /// wide for the ids; json for the answer as it is
    #[argh(option, short = 'o', arg_name = "wide|json")]
    pub output: Option<String>,
    /// by which label to sort; default: Deployment ID
    #[argh(option, arg_name = "LABEL")]
    pub sort_by: Option<String>,
    /// from the last to the first
    #[argh(switch)]
    pub reverse: bool,
    /// pods to show at most
    #[argh(option, arg_name = "number")]
    pub limit: Option<i32>,
    /// pods to leave out in front
    #[argh(option, arg_name = "number")]
    pub offset: Option<i32>,
    /// leave out the headings
    #[argh(switch)]
    pub no_headers: bool,
    /// socket of the daemon; default: NODEPODS_SOCKET, the configuration file, our own sockets, the kubelet's
    #[argh(option, arg_name = "path")]
    pub socket: Vec<PathBuf>,
    /// conditions LABEL:VALUE,VALUE joined with +; without any, all pods
    #[argh(positional, arg_name = "QUERY")]
    pub query: Vec<String>,
}

impl Command for QueryPods {
    fn run(self) -> Result<(), Failure> {
        let (wide, as_json) = match self.output.as_deref() {
            None | Some("") => (false, false),
            Some("wide") => (true, false),
            Some("json") => (false, true),
            Some(other) => {
                return Err(Failure::usage("query", format!("unknown output format {other:?}; known are wide, json")));
            }
        };
        for (option, number) in [("--limit", self.limit), ("--offset", self.offset)] {
            if let Some(number) = number.filter(|n| *n < 0) {
                return Err(Failure::usage("query", format!("{option}: {number} is less than 0")));
            }
        }
        let request = self.request(&one_query("query", &self.query)?);
        let client = PodsClient::new(&socket::find("query", &self.socket)?);
        let (answer, warnings) = client.ask(GET_PODS, &request)?;
        warnings.iter().for_each(|warning| warn(warning));
        let pods = pods(&answer).map_err(|e| client.unreadable(e))?;
        if as_json {
            return print(&as_object(&pods)?);
        }
        if pods.is_empty() {
            eprintln!("No pods found.");
            return Ok(());
        }
        print(&table(&pods, wide, self.no_headers, now()))
    }
}

impl QueryPods {
    /// `v1.RawQuery`
    fn request(&self, query: &str) -> Vec<u8> {
        let (mut out, mut page, mut sort) = (Vec::new(), Vec::new(), Vec::new());
        let signed = |n: i32| i64::from(n) as u64;
        for (number, value) in [(1, self.limit), (2, self.offset)] {
            if let Some(value) = value {
                wire::put_number(&mut page, number, signed(value));
            }
        }
        let field = self.sort_by.as_deref().unwrap_or(if self.reverse { "Deployment ID" } else { "" });
        if !field.is_empty() {
            wire::put_bytes(&mut sort, 1, field.as_bytes());
            wire::put_number(&mut sort, 2, u64::from(self.reverse));
            wire::put_bytes(&mut page, 3, &sort);
        }
        wire::put_bytes(&mut out, 1, query.as_bytes());
        wire::put_bytes(&mut out, 2, &page);
        out
    }
}

/// The pods of a `v1.PodsResponse`.
fn pods(answer: &[u8]) -> Result<Vec<Pod>, WireError> {
    let mut pods = Vec::new();
    for field in wire::fields(answer) {
        if let (1, Value::Bytes(bytes)) = field.map(|f| (f.number, f.value))? {
            pods.push(pod_wire::decode(bytes)?);
        }
    }
    Ok(pods)
}

/// The answer as JSON, indented.
fn as_object(pods: &[Pod]) -> Result<String, Failure> {
    let mut text = String::from("{\"pods\":[");
    for (at, pod) in pods.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        json::write(pod, &mut text);
    }
    text.push_str("]}");
    let indented = serde_json::from_str::<serde_json::Value>(&text).and_then(|v| serde_json::to_string_pretty(&v));
    indented.map(|text| text + "\n").map_err(|e| Failure::new(Exit::Internal, format!("error: {e}")))
}

fn table(pods: &[Pod], wide: bool, no_headers: bool, now: i64) -> String {
    let mut headings = vec!["NAMESPACE", "NAME", "LIVE", "ENDED", "LAST END", "AGE"];
    if wide {
        headings.extend(["POD ID", "DEPLOYMENT ID"]);
    }
    let mut table = Grid::new(Screen::stdout());
    if !no_headers {
        table.row(headings);
    }
    for pod in pods {
        let ended = pod.terminated_instances.iter().flatten();
        let mut row = vec![
            pod.namespace.clone(),
            pod.name.clone(),
            pod.live_instances.len().to_string(),
            ended.clone().count().to_string(),
            ended.max_by_key(|i| i.finished).map_or_else(|| NONE.into(), |last| last_end(last, now)),
            pod.started.map_or_else(|| "<unknown>".into(), |at| age(now - at.unix())),
        ];
        if wide {
            row.extend([pod.id.clone(), pod.deployment_id.clone()]);
        }
        table.row(row);
    }
    table.take()
}

/// `app: OOMKilled (137), 5m ago`
fn last_end(instance: &ContainerInstance, now: i64) -> String {
    let name = &instance.container_name;
    let how = match (instance.termination_reason.as_str(), instance.exit_code) {
        ("", code) => format!("exit code {code}"),
        (reason, 0) => reason.to_owned(),
        (reason, code) => format!("{reason} ({code})"),
    };
    let when = instance.finished.map_or_else(String::new, |at| format!(", {} ago", age(now - at.unix())));
    format!("{name}: {how}{when}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::time::Time;
    use crate::query::request::RawQuery;
    use crate::query::{Pagination, SortOption};

    #[test]
    fn requests_are_those_of_the_service() {
        let decode = |query: &QueryPods, text: &str| RawQuery::decode(&query.request(text)).unwrap();
        let none = RawQuery { query: "Node:n".into(), pagination: Pagination::default() };
        assert_eq!(decode(&QueryPods::default(), "Node:n"), none);
        let query = QueryPods { limit: Some(5), offset: Some(-1), reverse: true, ..QueryPods::default() };
        let sort = vec![SortOption { field: "Deployment ID".into(), reversed: true, aggregated: false }];
        assert_eq!(decode(&query, "").pagination, Pagination { limit: 5, offset: -1, sort });
    }

    #[test]
    fn a_table_tells_what_runs_and_how_the_last_one_ended() {
        let ended = |reason: &str, code, at| ContainerInstance {
            container_name: "app".into(),
            termination_reason: reason.into(),
            exit_code: code,
            finished: Some(Time::from_unix(at)),
            ..ContainerInstance::default()
        };
        let web = Pod {
            namespace: "shop".into(),
            name: "web".into(),
            live_instances: vec![ContainerInstance::default()],
            terminated_instances: vec![vec![ended("OOMKilled", 137, 60), ended("Completed", 0, 30)]],
            started: Some(Time::from_unix(0)),
            ..Pod::default()
        };
        let pods = [web, Pod { namespace: "db".into(), name: "pg".into(), id: "i".into(), ..Pod::default() }];
        assert_eq!(
            table(&pods, false, false, 90),
            "NAMESPACE   NAME   LIVE   ENDED   LAST END                        AGE\n\
             shop        web    1      2       app: OOMKilled (137), 30s ago   90s\n\
             db          pg     0      0       <none>                          <unknown>\n"
        );
        let wide = table(&pods[1..], true, true, 90);
        assert_eq!(wide, "db    pg    0     0     <none>   <unknown>   i     \n");
        assert_eq!(last_end(&ended("", 3, 80), 90), "app: exit code 3, 10s ago");
    }

    #[test]
    fn json_is_the_answer() {
        let text = as_object(&[Pod { name: "web".into(), ..Pod::default() }]).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["pods"][0]["name"], "web");
        assert!(text.starts_with("{\n  \"pods\": [\n"));
    }
}
