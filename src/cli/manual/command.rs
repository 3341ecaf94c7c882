//! `nodepods(1)`: the commands.

use super::exit_status;
use super::roff::Roff;
use crate::cli::command::{shown, Group, Verb};
use crate::cli::help::usage;
use crate::cli::options::{of_verb, OptionRow};

/// The page.
pub fn page(verbs: &[Verb], date: &str) -> String {
    let mut page = Roff::new("nodepods", 1, date);
    page.heading("NAME");
    page.paragraph("nodepods - which pods are on this node, and what state they are in");
    page.heading("SYNOPSIS");
    page.line(".B nodepods");
    page.line(".I COMMAND");
    page.line(".RI [ OPTIONS ]");
    page.heading("DESCRIPTION");
    page.paragraph(
        "A command line for the pods of one Kubernetes node. It asks the nodepods daemon on this node, see nodepods(8), \
         over a socket that root alone may open; neither a kubelet, an API server nor a network has to be there. A \
         kubelet that serves the Pods API is asked where no daemon is.\n\n\
         Words and options are those of kubectl(1) where kubectl has them. A pod is named by NAME, NAMESPACE/NAME or its \
         UID; without -n the pods of all namespaces are meant. Options may stand before or after other words, and as \
         --output=json, --output json, -o json or -ojson.",
    );
    page.heading("COMMANDS");
    for (group, _) in Group::ALL {
        shown(verbs).filter(|verb| verb.group == group).for_each(|verb| command(&mut page, verb));
    }
    page.part("nodepods help [COMMAND]");
    page.paragraph("Explains a command, as nodepods COMMAND --help does. Without a command: says what there is.");
    page.heading("OUTPUT");
    page.paragraph(
        "What was asked for goes to standard output, everything else to standard error. Colours and progress are for \
         terminals alone; NO_COLOR turns colours off. A reader that stops reading, such as head(1), ends a command \
         quietly.",
    );
    page.heading("ENVIRONMENT");
    page.tagged("NODEPODS_SOCKET", "The daemon's socket, where --socket names none.");
    page.tagged(
        "NODEPODS_HTTP_SOCKET",
        "The daemon's socket for HTTP, where --http-socket names none: for events, for logs that cannot be read here, for \
         kubectl and proxy.",
    );
    page.tagged("NO_COLOR", "With any value but an empty one: no colours.");
    page.heading("FILES");
    page.tagged("/run/nodepods/pods.sock", "Where the daemon is asked; next come /var/lib/kubelet/pods/kubelet.sock");
    page.line("and the kubelet's own /var/lib/kubelet/pods\\-api/pods\\-api.sock.");
    page.tagged("/run/nodepods/http.sock", "Where it is asked over HTTP.");
    page.tagged("/etc/nodepods/config.yaml", "Configuration of the daemon; commands take the socket from it, too.");
    exit_status(&mut page);
    page.heading("SEE ALSO");
    page.line(".BR nodepods (8),\n.BR nodepods.yaml (5),\n.BR kubectl (1),\n.BR crictl (1)");
    page.finish()
}

fn command(page: &mut Roff, verb: &Verb) {
    let info = (verb.info)();
    page.part(format!("nodepods {} {}", verb.name, usage(verb)).trim_end());
    page.paragraph(info.description);
    info.notes.iter().for_each(|note| page.next(note));
    if verb.name == "serve" {
        page.next("Its options are in nodepods(8).");
    } else {
        let positionals = info.positionals.iter().filter(|p| !p.hidden);
        positionals.for_each(|p| page.tagged(&format!("<{}>", p.name), &sentence(p.description)));
        of_verb(Some(verb)).iter().for_each(|row| option(page, row));
    }
    let examples: Vec<_> = verb.examples().collect();
    if !examples.is_empty() {
        page.example(&examples.join("\n"));
    }
}

/// An option with what it means.
pub fn option(page: &mut Roff, row: &OptionRow) {
    let short = row.short.map_or_else(String::new, |c| format!("-{c}, "));
    let hint = if row.takes_value() { format!(" <{}>", row.hint) } else { String::new() };
    page.tagged(&format!("{short}--{}{hint}", row.name), &sentence(row.help));
}

/// With a capital and a full stop.
pub fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if words.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
