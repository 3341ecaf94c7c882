//! The text of a kubeconfig.
//!
//! Rules: `kubernetes/client-go tools/clientcmd/api/v1/types.go`, `client_config.go`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Access, KubeconfigError, Material};
use crate::codec::base64;
use crate::codec::yaml;
use crate::source::http::secret::Secret;
use crate::source::http::url::{Url, UrlError};

/// Paths as they are printed.
pub(super) fn shown(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|p| p.display().to_string()).collect()
}

/// Understands a kubeconfig: its current context, or its only one. Relative paths in it start at its directory.
///
/// # Errors
/// It is no kubeconfig, entries are missing, or it asks for what we do not do: a login program (`exec`,
/// `auth-provider`), a proxy, acting as somebody else.
pub fn parse(path: &Path, text: &[u8]) -> Result<Access, KubeconfigError> {
    let document = yaml::parse_config(text).map_err(|e| KubeconfigError::Yaml {
        path: path.into(),
        line: e.line,
        column: e.column,
        // The problem may quote the text, which can be a key.
        problem: e.problem.split('"').next().unwrap_or_default().trim_end().to_owned(),
    })?;
    let whole = Entry { path, name: String::new(), value: &document.value };
    let context = context(&whole)?;
    let cluster = whole.named("clusters", "cluster", &context.required("cluster")?)?;
    let user = match context.text("user")? {
        Some(user) => whole.named("users", "user", &user)?,
        None => Entry { path, name: "user".into(), value: &Value::Null },
    };
    let server = cluster.required("server")?;
    let server: Url = server.parse().map_err(|e: UrlError| cluster.at("server").wrong(&e.to_string()))?;
    let insecure = cluster.flag("insecure-skip-tls-verify")?;
    let authorities = cluster.material("certificate-authority")?;
    if insecure && authorities.is_some() {
        let problem = "stands beside a certificate authority; remove one of the two";
        return Err(cluster.at("insecure-skip-tls-verify").wrong(problem));
    }
    cluster.refuse("proxy-url", "proxies are not supported; name a server that is reached directly")?;
    for (key, problem) in [
        ("exec", "login programs are not run by a daemon; use a token, a token file or a client certificate"),
        ("auth-provider", "login plugins are not supported; use a token, a token file or a client certificate"),
        ("as", "acting as another user is not supported; remove it"),
        ("as-uid", "acting as another user is not supported; remove it"),
        ("as-groups", "acting as another user is not supported; remove it"),
    ] {
        user.refuse(key, problem)?;
    }
    let identity = match (user.material("client-certificate")?, user.material("client-key")?) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => return Err(user.at("client-key").wrong("missing beside the client certificate")),
        (None, Some(_)) => return Err(user.at("client-certificate").wrong("missing beside the client key")),
    };
    let token = match user.text("tokenFile")? {
        Some(file) => Some(Material::File(beside(path, &file))),
        None => user.text("token")?.map(|token| Material::Data(Secret::new(token))),
    };
    let basic = match user.text("username")? {
        Some(name) => Some((name, Secret::new(user.text("password")?.unwrap_or_default()))),
        None => None,
    };
    let server_name = cluster.text("tls-server-name")?;
    Ok(Access { server, authorities, insecure, server_name, identity, token, basic })
}

fn context<'a>(whole: &Entry<'a>) -> Result<Entry<'a>, KubeconfigError> {
    if !whole.value.is_object() {
        return Err(whole.wrong("this is no kubeconfig; it holds clusters, users and contexts"));
    }
    if let Some(current) = whole.text("current-context")? {
        return whole.named("contexts", "context", &current);
    }
    let only = whole.value.get("contexts").and_then(Value::as_array).filter(|all| all.len() == 1);
    match only.and_then(|all| all.first()?.get("name")?.as_str()) {
        Some(name) => whole.named("contexts", "context", name),
        None => Err(whole.at("current-context").wrong("missing; name the context to use")),
    }
}

fn beside(path: &Path, file: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).join(file)
}

/// One place in the file.
struct Entry<'a> {
    path: &'a Path,
    name: String,
    value: &'a Value,
}

impl<'a> Entry<'a> {
    fn at(&self, key: &str) -> Self {
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        Self { path: self.path, name, value: self.value.get(key).unwrap_or(&Value::Null) }
    }

    fn wrong(&self, problem: &str) -> KubeconfigError {
        let entry = if self.name.is_empty() { "the file as a whole".into() } else { self.name.clone() };
        KubeconfigError::Entry { path: self.path.into(), entry, problem: problem.into() }
    }

    /// The content of the entry of this name in a list of `{name, KIND: {..}}`.
    fn named(&self, list: &str, kind: &str, name: &str) -> Result<Self, KubeconfigError> {
        let all = self.value.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let place = format!("{list}[{name}]");
        match all.iter().find(|e| e.get("name").and_then(Value::as_str) == Some(name)) {
            Some(found) => Ok(Self { path: self.path, name: place, value: found.get(kind).unwrap_or(&Value::Null) }),
            None => {
                Err(Self { path: self.path, name: place, value: &Value::Null }.wrong("missing, and it is referred to"))
            }
        }
    }

    /// A text that is there and not empty.
    fn text(&self, key: &str) -> Result<Option<String>, KubeconfigError> {
        match self.value.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.at(key).wrong("a text is expected; put it in quotes")),
        }
    }

    fn required(&self, key: &str) -> Result<String, KubeconfigError> {
        self.text(key)?.ok_or_else(|| self.at(key).wrong("missing"))
    }

    fn flag(&self, key: &str) -> Result<bool, KubeconfigError> {
        match self.value.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.at(key).wrong("true or false is expected")),
        }
    }

    /// `KEY-data` (base64), which wins, or the file `KEY`.
    fn material(&self, key: &str) -> Result<Option<Material>, KubeconfigError> {
        let data = format!("{key}-data");
        if let Some(text) = self.text(&data)? {
            // Lines that YAML folds into one have blanks between them.
            let letters: String = text.split_ascii_whitespace().collect();
            let bytes = base64::decode(&letters).ok_or_else(|| self.at(&data).wrong("this is no base64"))?;
            return Ok(Some(Material::Data(Secret::new(bytes))));
        }
        Ok(self.text(key)?.map(|file| Material::File(beside(self.path, &file))))
    }

    fn refuse(&self, key: &str, problem: &str) -> Result<(), KubeconfigError> {
        match self.value.get(key) {
            None | Some(Value::Null) => Ok(()),
            Some(Value::String(text)) if text.is_empty() => Ok(()),
            Some(_) => Err(self.at(key).wrong(problem)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATH: &str = "/etc/kubernetes/kubelet.conf";

    fn config(cluster: &str, user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n\
             clusters: [{{name: other, cluster: {{server: http://no}}}}, {{name: k, cluster: {{{cluster}}}}}]\n\
             users: [{{name: u, user: {{{user}}}}}]\n"
        )
    }

    fn read(cluster: &str, user: &str) -> Result<Access, KubeconfigError> {
        parse(Path::new(PATH), config(cluster, user).as_bytes())
    }

    #[test]
    fn what_kubeadm_writes() {
        let access = read(
            "certificate-authority-data: Q0E=, server: 'https://10.0.0.1:6443'",
            "client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem, client-key: pki/key.pem",
        )
        .unwrap();
        assert_eq!(access.server.to_string(), "https://10.0.0.1:6443/");
        assert_eq!(access.authorities, Some(Material::Data(Secret::new("CA"))));
        let identity = (
            Material::File("/var/lib/kubelet/pki/kubelet-client-current.pem".into()),
            Material::File("/etc/kubernetes/pki/key.pem".into()),
        );
        assert_eq!(access.identity, Some(identity));
        assert_eq!((access.token, access.basic, access.insecure), (None, None, false));
    }

    #[test]
    fn data_wins_over_files_and_a_token_file_over_a_token() {
        let access = read(
            "server: 'https://h', certificate-authority: ca.crt, certificate-authority-data: Q0E=, tls-server-name: api",
            "token: t, tokenFile: token, username: joe, password: p",
        )
        .unwrap();
        assert_eq!(access.authorities, Some(Material::Data(Secret::new("CA"))));
        assert_eq!(access.token, Some(Material::File("/etc/kubernetes/token".into())));
        assert_eq!(access.server_name.as_deref(), Some("api"));
        assert_eq!(access.basic, Some(("joe".into(), Secret::new("p"))));
    }

    #[test]
    fn flow_style_from_the_first_brace_on() {
        let clusters = "clusters: [{name: k, cluster: {server: https://10.0.0.1:6443}}]";
        let rest = "contexts: [{name: c, context: {cluster: k, user: u}}], users: [{name: u, user: {token: t}}]";
        let json = serde_json::to_string_pretty(
            &yaml::parse(config("server: 'https://10.0.0.1:6443'", "").as_bytes()).unwrap().value,
        );
        for text in [format!("{{{clusters}, {rest}}}"), format!(" {{{clusters},\n{rest},\n}}\n"), json.unwrap()] {
            let access = parse(Path::new(PATH), text.as_bytes()).unwrap();
            assert_eq!(access.server.to_string(), "https://10.0.0.1:6443/", "{text}");
        }
        let broken = parse(Path::new(PATH), b"{clusters: [{name: k, token: hunter2}").unwrap_err().to_string();
        assert!(
            broken.contains("not valid YAML") && !broken.contains("JSON") && !broken.contains("hunter2"),
            "{broken}"
        );
    }

    #[test]
    fn the_only_context_needs_no_mention() {
        let text = config("server: 'http://h'", "").replace("current-context: c\n", "");
        assert!(parse(Path::new(PATH), text.as_bytes()).is_ok());
        let two = text.replace("contexts: [", "contexts: [{name: d, context: {}}, ");
        let error = parse(Path::new(PATH), two.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("current-context: missing"), "{error}");
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name_and_no_secret_is_repeated() {
        let table = [
            ("server: 'https://h'", "exec: {command: hunter2}", "users[u].exec: login programs"),
            ("server: 'https://h'", "auth-provider: {name: gcp}", "users[u].auth-provider"),
            ("server: 'https://h'", "as: hunter2", "users[u].as"),
            ("server: 'https://h', proxy-url: 'http://hunter2@p'", "", "clusters[k].proxy-url"),
            ("server: 'https://h', insecure-skip-tls-verify: true, certificate-authority: x", "", "remove one"),
            ("server: 'https://h', certificate-authority-data: '!'", "", "no base64"),
            ("server: 'https://h'", "client-key-data: aHVudGVyMg==", "client-certificate: missing"),
            ("server: 'https://h'", "client-certificate-data: Q0E=", "client-key: missing"),
            ("server: 'https://h'", "token: [hunter2]", "users[u].token: a text"),
            ("server: 'https://h'", "client-key-data: 'hunter2!'", "client-key-data: this is no base64"),
            ("server: 'hunter2'", "", "clusters[k].server: an address begins"),
            ("", "", "clusters[k].server: missing"),
            ("server: 'https://h'", "token: \"hunter2\n", "not valid YAML"),
        ];
        for (cluster, user, word) in table {
            let error = read(cluster, user).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(word) && shown.contains(PATH) && !shown.contains("hunter"), "{shown}");
        }
    }

    #[test]
    fn missing_parts_are_named() {
        for (text, word) in [
            ("", "no kubeconfig"),
            ("- a", "no kubeconfig"),
            ("current-context: c", "contexts[c]: missing"),
            ("contexts: [{name: c, context: {cluster: k}}]", "clusters[k]: missing"),
            ("contexts: [{name: c}]", "contexts[c].cluster: missing"),
        ] {
            let error = parse(Path::new(PATH), text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    proptest! {
        #[test]
        fn rubbish_is_an_error(text in "[\\PC\\n]{0,60}") {
            prop_assert!(parse(Path::new(PATH), text.as_bytes()).is_err());
        }
    }
}
