//! The script for bash.

use std::fmt::Write as _;

use super::values::Values;
use crate::cli::command::Verb;
use crate::cli::options::of_verb;

const START: &str = r#"# bash completion for nodepods, made by `nodepods completion bash`

# Nothing but proper names: bash looks for commands in the words that it is given here.
_nodepods_pods() {
    nodepods get pods -o name 2>/dev/null | sed -n 's,^pod/\([A-Za-z0-9.-]*\)$,\1,p'
}

_nodepods() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb='' words='' paths='' i
    # bash takes --output=json apart: --output, =, json
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $previous == '=' ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
"#;

const END: &str = r#"    if [[ -n $paths ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"; compgen -f -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
            compopt -o nospace 2>/dev/null
        fi
    fi
}

complete -F _nodepods nodepods
"#;

/// The script.
pub fn script(verbs: &[&Verb]) -> String {
    let mut out = String::from(START);
    let names: Vec<_> = verbs.iter().map(|verb| verb.name).collect();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "        case ${{COMP_WORDS[i]}} in\n        {})", names.join(" | "));
    out.push_str("            verb=${COMP_WORDS[i]}\n            break\n            ;;\n        esac\n    done\n");
    out.push_str("    case $verb:$previous in\n");
    for verb in verbs {
        for row in of_verb(Some(verb)).iter().filter(|row| row.takes_value()) {
            let long = format!("{}:--{}", verb.name, row.name);
            let short = row.short.map_or_else(String::new, |c| format!("{}:-{c} | ", verb.name));
            let _ = writeln!(out, "    {short}{long}) {} ;;", assign(&Values::of_option(row), &[]));
        }
    }
    out.push_str("    *)\n        case $verb in\n");
    for verb in verbs {
        let options: Vec<_> = of_verb(Some(verb)).iter().map(|row| format!("--{}", row.name)).collect();
        let values = Values::of_positionals((verb.info)().positionals);
        let _ = writeln!(out, "        {})", verb.name);
        let _ = writeln!(out, "            if [[ $current == -* ]]; then words='{} --help'", options.join(" "));
        let _ = writeln!(out, "            else {}\n            fi\n            ;;", assign(&values, &[]));
    }
    let _ = writeln!(out, "        *) {} ;;", assign(&Values::default(), &[&names[..], &["help"]].concat()));
    out.push_str("        esac\n        ;;\n    esac\n");
    out + END
}

fn assign(values: &Values, more: &[&str]) -> String {
    let words: Vec<&str> = values.words.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let mut out = match values.pods {
        true => "words=$(_nodepods_pods)".to_string(),
        false => format!("words='{}'", words.join(" ")),
    };
    if values.paths {
        out.push_str(" paths=1");
    }
    out
}
