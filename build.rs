//! Turns `proto/` into Rust, without protoc: the schema table of `core/v1 Pod` for the codec, and typed
//! messages for the small contracts (CRI, health, request and response envelopes).

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use protobuf::descriptor::field_descriptor_proto::{Label, Type};
use protobuf::descriptor::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use protobuf::{Message as _, UnknownValueRef};

const ROOT: &str = ".k8s.io.api.core.v1.Pod";
const POD: &str = "proto/k8s.io/api/core/v1/pod.proto";
/// Number of the option `nodepods.json.omit` in `proto/nodepods/json.proto`.
const OMIT_OPTION: u32 = 50700;
/// Variants of `codec::schema::Omit`, in the order of the enum in `proto/nodepods/json.proto`.
const OMIT: [&str; 8] = ["Empty", "Always", "Pointer", "AlwaysPointer", "StructAlways", "Zero", "Inline", "Internal"];
/// Contracts that are served; the descriptor set for reflection holds them and what they import.
const SERVED: &[&str] = &[
    "proto/pods_v1alpha1.proto",
    "proto/pods.proto",
    "proto/nodepods/v1/lookup.proto",
    "proto/nodepods/v1/node.proto",
    "proto/api/v1/pod_service.proto",
    "proto/grpc/health/v1/health.proto",
    "proto/grpc/reflection/v1/reflection.proto",
    "proto/grpc/reflection/v1alpha/reflection.proto",
];
/// Contracts that are compiled into typed messages.
const TYPED: [&str; 5] = [
    "proto/pods_v1alpha1.proto",
    "proto/nodepods/v1/lookup.proto",
    "proto/nodepods/v1/node.proto",
    "proto/runtime/v1/runtime.proto",
    "proto/grpc/health/v1/health.proto",
];

type Failure = Box<dyn std::error::Error>;

fn main() {
    if let Err(e) = run() {
        eprintln!("build.rs: {e}");
        process::exit(1);
    }
}

fn run() -> Result<(), Failure> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=src/harden/seccomp");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=NODEPODS_COMMIT");
    println!("cargo:rustc-env=NODEPODS_COMMIT={}", commit());
    println!("cargo:rustc-env=NODEPODS_TARGET={}", env::var("TARGET")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let set = parse(&[POD])?;
    fs::write(out.join("schema_table.rs"), schema_table(&set)?)?;
    fs::write(out.join("syscall_table.rs"), syscall_table()?)?;
    if env::var_os("CARGO_FEATURE_DAEMON").is_some() {
        let mut served = parse(SERVED)?;
        for file in &mut served.file {
            file.source_code_info.clear(); // comments; nobody asks for them
        }
        fs::write(out.join("nodepods.protoset"), served.write_to_bytes()?)?;
        let dir = out.join("typed");
        fs::create_dir_all(&dir)?;
        protobuf_codegen::Codegen::new().pure().include("proto").inputs(TYPED).out_dir(&dir).run()?;
    }
    Ok(())
}

/// The lists of `src/harden/seccomp` as a table of numbers and names, without the calls of the other C library. Empty
/// for an architecture that has no list.
fn syscall_table() -> Result<String, Failure> {
    let (arch, libc) = (env::var("CARGO_CFG_TARGET_ARCH")?, env::var("CARGO_CFG_TARGET_ENV")?);
    let other = if libc == "musl" { "[glibc]" } else { "[musl]" };
    let dir = Path::new("src/harden/seccomp");
    let mut out =
        String::from("/// Allowed system calls: number and name.\npub const CALLS: &[(libc::c_long, &str)] = &[\n");
    if let Ok(special) = fs::read_to_string(dir.join(format!("{arch}.list"))) {
        let common = fs::read_to_string(dir.join("common.list"))?;
        for line in common.lines().chain(special.lines()).filter(|l| !l.starts_with('#') && !l.contains(other)) {
            if let Some(name) = line.split_whitespace().next() {
                writeln!(out, "    (libc::SYS_{name}, \"{name}\"),")?;
            }
        }
    }
    out.push_str("];\n");
    Ok(out)
}

/// The commit this is built from: `NODEPODS_COMMIT` where a packager sets it, else git's, else `unknown`.
fn commit() -> String {
    if let Ok(c) = env::var("NODEPODS_COMMIT") {
        return c;
    }
    // The reflog grows with each commit and checkout. Git names it: in a linked work tree it lies elsewhere, and
    // cargo runs this script for ever again if it is told of a path that does not exist.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|p| Path::new(p).exists()) {
        println!("cargo:rerun-if-changed={log}");
    }
    git(&["rev-parse", "--short=10", "HEAD"]).unwrap_or_else(|| "unknown".into())
}

/// What git prints, or `None` where there is no git or no repository.
fn git(args: &[&str]) -> Option<String> {
    let out = process::Command::new("git").args(args).output().ok().filter(|o| o.status.success())?;
    Some(String::from_utf8(out.stdout).ok()?.trim().to_string())
}

/// These files and all that they import, each after its imports.
fn parse(files: &[&str]) -> Result<FileDescriptorSet, Failure> {
    let parsed = protobuf_parse::Parser::new().pure().include("proto").inputs(files).parse_and_typecheck()?;
    let mut set = FileDescriptorSet::new();
    set.file = parsed.file_descriptors;
    Ok(set)
}

/// Walks the closure of Pod and writes one row a message: `Message { name, special, fields }`.
fn schema_table(set: &FileDescriptorSet) -> Result<String, Failure> {
    let mut all: HashMap<String, &DescriptorProto> = HashMap::new();
    for file in &set.file {
        for m in &file.message_type {
            let name = format!(".{}.{}", file.package(), m.name());
            for n in &m.nested_type {
                all.insert(format!("{name}.{}", n.name()), n);
            }
            all.insert(name, m);
        }
    }
    let mut order: Vec<String> = vec![ROOT.into()];
    let mut index: BTreeMap<String, usize> = BTreeMap::from([(ROOT.to_string(), 0)]);
    let mut rows = String::new();
    let mut at = 0;
    while let Some(name) = order.get(at).cloned() {
        at += 1;
        let message = all.get(&name).ok_or_else(|| format!("no message {name}"))?;
        let mut fields = String::new();
        for f in &message.field {
            let (label, value) = shape(f, &all);
            let kind = if value.type_() == Type::TYPE_MESSAGE {
                let target = value.type_name().to_string();
                let next = order.len();
                let id = *index.entry(target.clone()).or_insert(next);
                if id == next {
                    order.push(target);
                }
                format!("Kind::Message(MessageId({id}))")
            } else {
                scalar(value)?.to_string()
            };
            let omit = omit(f)?;
            writeln!(
                fields,
                "        Field {{ number: {}, name: \"{}\", label: Label::{label}, kind: {kind}, omit: Omit::{omit} }},",
                f.number(),
                f.name()
            )?;
        }
        let special = match name.rsplit('.').next().unwrap_or_default() {
            "Quantity" => "Quantity",
            "Time" => "Time",
            "IntOrString" => "IntOrString",
            "FieldsV1" => "FieldsV1",
            _ => "None",
        };
        writeln!(
            rows,
            "    Message {{ name: \"{}\", special: Special::{special}, fields: &[\n{fields}    ] }},",
            name.trim_start_matches('.')
        )?;
    }
    let mut consts = String::new();
    for (i, name) in order.iter().enumerate() {
        let short = name.rsplit('.').next().unwrap_or_default();
        writeln!(
            consts,
            "    /// `{}`\n    pub const {}: MessageId = MessageId({i});",
            name.trim_start_matches('.'),
            screaming(short)
        )?;
    }
    Ok(format!(
        "/// Every message of the closure of Pod; `MessageId` is the position in this table.\npub static MESSAGES: [Message; {}] = [\n{rows}];\n\n#[allow(missing_docs)]\n/// The ids of the messages, by name.\npub mod id {{\n    use super::MessageId;\n{consts}}}\n",
        order.len()
    ))
}

/// The label of a field and the descriptor of its value (for a map, of the map's value).
fn shape<'a>(
    f: &'a FieldDescriptorProto,
    all: &HashMap<String, &'a DescriptorProto>,
) -> (&'static str, &'a FieldDescriptorProto) {
    if f.label() != Label::LABEL_REPEATED {
        return ("Single", f);
    }
    let entry = all.get(f.type_name()).filter(|m| m.options.map_entry());
    match entry.and_then(|m| m.field.iter().find(|v| v.number() == 2)) {
        Some(value) => ("Map", value),
        None => ("Repeated", f),
    }
}

fn scalar(f: &FieldDescriptorProto) -> Result<&'static str, Failure> {
    Ok(match f.type_() {
        Type::TYPE_STRING => "Kind::String",
        Type::TYPE_BYTES => "Kind::Bytes",
        Type::TYPE_BOOL => "Kind::Bool",
        Type::TYPE_INT32 => "Kind::Int32",
        Type::TYPE_INT64 => "Kind::Int64",
        other => return Err(format!("{}: {other:?} does not occur in a Pod", f.name()).into()),
    })
}

fn omit(f: &FieldDescriptorProto) -> Result<&'static str, Failure> {
    let unknown = f.options.special_fields.unknown_fields();
    match unknown.get(OMIT_OPTION) {
        None => Ok(OMIT[0]),
        Some(UnknownValueRef::Varint(n)) => {
            OMIT.get(usize::try_from(n)?).copied().ok_or_else(|| format!("{}: omit = {n}", f.name()).into())
        }
        Some(other) => Err(format!("{}: omit = {other:?}", f.name()).into()),
    }
}

/// `ContainerStateRunning` as `CONTAINER_STATE_RUNNING`; runs of capitals stay together.
fn screaming(name: &str) -> String {
    let mut out = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|j| chars.get(j));
        let after = chars.get(i + 1);
        let lower = |c: Option<&char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if c.is_ascii_uppercase() && i > 0 && (lower(before) || lower(after)) {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}
