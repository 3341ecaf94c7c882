//! In which form a client wants an answer.
//!
//! Rules: `kubernetes/apiserver pkg/endpoints/handlers/negotiation/negotiate.go`.

use super::refusal::Refusal;
use super::request::Request;

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Media {
    /// Compact.
    Json,
    /// Indented by two blanks.
    PrettyJson,
    Yaml,
    Protobuf,
}

/// What of an object is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// The object itself.
    Whole,
    /// Rows and columns, of this version of `meta.k8s.io`.
    Table(&'static str),
    /// Metadata alone.
    Metadata,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Form {
    pub(crate) media: Media,
    pub(crate) shape: Shape,
}

/// What can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// JSON and YAML come always; protobuf only for pods.
    pub(crate) protobuf: bool,
    /// A watch has no YAML.
    pub(crate) watch: bool,
    /// Name of the form with metadata alone.
    pub(crate) metadata: Option<&'static str>,
    pub(crate) table: bool,
}

impl Offer {
    /// JSON and YAML of the object itself.
    pub(crate) const PLAIN: Self = Self { protobuf: false, watch: false, metadata: None, table: false };
    /// One pod.
    pub(crate) const OBJECT: Self =
        Self { protobuf: true, watch: false, metadata: Some("PartialObjectMetadata"), table: true };
    /// A list of pods.
    pub(crate) const LIST: Self = Self { metadata: Some("PartialObjectMetadataList"), ..Self::OBJECT };
    /// A watch of pods.
    pub(crate) const WATCH: Self = Self { watch: true, ..Self::OBJECT };

    fn words(self) -> &'static str {
        match (self.watch, self.protobuf) {
            (true, _) => "application/json, application/vnd.kubernetes.protobuf;stream=watch",
            (_, true) => "application/json, application/yaml, application/vnd.kubernetes.protobuf",
            _ => "application/json, application/yaml",
        }
    }
}

/// The first form that the client accepts, by its weights, then by its order.
///
/// # Errors
/// None of what it accepts can be given.
pub(crate) fn form(request: &Request, offer: Offer) -> Result<Form, Refusal> {
    let mut clauses: Vec<Clause<'_>> = request.accept.split(',').filter_map(Clause::read).collect();
    if clauses.is_empty() {
        clauses.push(Clause { media: "*/*", parameters: "", weight: 1000 });
    }
    clauses.sort_by_key(|c| std::cmp::Reverse(c.weight)); // stable: the client's order decides among equals
    let form = clauses.iter().find_map(|c| c.form(offer)).ok_or(Refusal::NotAcceptable(offer.words()))?;
    let pretty = form.media == Media::Json && !offer.watch && wants_pretty(request);
    Ok(Form { media: if pretty { Media::PrettyJson } else { form.media }, ..form })
}

/// People who look at JSON in a terminal or a browser get it indented.
pub(crate) fn wants_pretty(request: &Request) -> bool {
    request
        .query
        .switch("pretty")
        .unwrap_or_else(|| ["curl", "Wget", "Mozilla/5.0"].iter().any(|agent| request.user_agent.starts_with(agent)))
}

/// Whether one of the Accept clauses asks for aggregated discovery; the version of `apidiscovery.k8s.io`.
pub(crate) fn aggregated(request: &Request) -> Option<&'static str> {
    request.accept.split(',').filter_map(Clause::read).filter(|c| c.media == "application/json").find_map(|c| {
        let wanted =
            c.parameter("g") == Some("apidiscovery.k8s.io") && c.parameter("as") == Some("APIGroupDiscoveryList");
        let version = c.parameter("v").filter(|_| wanted)?;
        ["v2", "v2beta1"].into_iter().find(|v| *v == version)
    })
}

/// One clause of an Accept field.
#[derive(Debug)]
struct Clause<'a> {
    media: &'a str,
    parameters: &'a str,
    /// Thousandths.
    weight: u32,
}

impl<'a> Clause<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (media, parameters) = text.split_once(';').unwrap_or((text, ""));
        let media = media.trim();
        let mut clause = Self { media, parameters, weight: 1000 };
        if let Some(weight) = clause.parameter("q").and_then(|q| q.parse::<f32>().ok()) {
            clause.weight = (weight.clamp(0.0, 1.0) * 1000.0) as u32;
        }
        (!media.is_empty() && clause.weight > 0).then_some(clause)
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        let pairs = self.parameters.split(';').filter_map(|p| p.split_once('='));
        pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn form(&self, offer: Offer) -> Option<Form> {
        let media = match self.media {
            "application/json" | "application/*" | "*/*" => Media::Json,
            "application/yaml" if !offer.watch => Media::Yaml,
            "application/vnd.kubernetes.protobuf" if offer.protobuf => Media::Protobuf,
            _ => return None,
        };
        let group = self.parameter("g");
        let version = ["v1", "v1beta1"].into_iter().find(|v| Some(*v) == self.parameter("v"));
        let shape = match (self.parameter("as"), version) {
            (None, _) => Shape::Whole,
            (Some("Table"), Some(version)) if offer.table && media == Media::Json => Shape::Table(version),
            (Some(name), Some("v1")) if offer.metadata == Some(name) => Shape::Metadata,
            _ => return None,
        };
        (shape == Shape::Whole || group == Some("meta.k8s.io")).then_some(Form { media, shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::http::request::parse;

    fn request(target: &str, accept: &str, agent: &str) -> Request {
        let head = format!("GET {target} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nUser-Agent: {agent}\r\n\r\n");
        parse(head.as_bytes()).unwrap().0
    }

    const KUBECTL: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,\
                           application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
    const METADATA: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,\
                            application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

    #[test]
    fn what_clients_get() {
        for (accept, want) in [
            ("", Some((Media::Json, Shape::Whole))),
            ("*/*", Some((Media::Json, Shape::Whole))),
            ("application/*", Some((Media::Json, Shape::Whole))),
            ("text/html, application/json;q=0.5", Some((Media::Json, Shape::Whole))),
            ("application/yaml", Some((Media::Yaml, Shape::Whole))),
            ("application/json;q=0.1,application/yaml;q=0.9", Some((Media::Yaml, Shape::Whole))),
            ("application/vnd.kubernetes.protobuf,application/json", Some((Media::Protobuf, Shape::Whole))),
            (KUBECTL, Some((Media::Json, Shape::Table("v1")))),
            ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Some((Media::Json, Shape::Table("v1beta1")))),
            ("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,*/*", Some((Media::Json, Shape::Whole))),
            (METADATA, Some((Media::Protobuf, Shape::Metadata))),
            ("application/json;as=Table;v=v9;g=meta.k8s.io", None),
            ("application/json;as=Table;v=v1;g=other", None),
            ("text/html", None),
            ("application/json;q=0", Some((Media::Json, Shape::Whole))),
            ("application/cbor", None),
        ] {
            let got = form(&request("/", accept, "go"), Offer::LIST).ok().map(|f| (f.media, f.shape));
            assert_eq!(got, want, "{accept}");
        }
        assert!(form(&request("/", "application/yaml", ""), Offer::WATCH).is_err());
        assert!(form(&request("/", "application/vnd.kubernetes.protobuf", ""), Offer::PLAIN).is_err());
    }

    #[test]
    fn people_get_it_indented() {
        let pretty = |target, agent| form(&request(target, "*/*", agent), Offer::LIST).unwrap().media;
        assert_eq!(pretty("/", "curl/8.5.0"), Media::PrettyJson);
        assert_eq!(pretty("/?pretty=true", "go"), Media::PrettyJson);
        assert_eq!(pretty("/?pretty=false", "curl/8.5.0"), Media::Json);
        assert_eq!(pretty("/", "kubectl/v1.32.4"), Media::Json);
    }

    #[test]
    fn aggregated_discovery_is_asked_for() {
        let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
        assert_eq!(aggregated(&request("/api", accept, "")), Some("v2"));
        assert_eq!(aggregated(&request("/api", "application/json", "")), None);
    }
}
