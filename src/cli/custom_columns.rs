//! `-o custom-columns=NAME:.metadata.name,...`: columns of one's own (`kubernetes/kubectl
//! pkg/cmd/get/customcolumn.go`).

use serde_json::Value;

use super::grid::Grid;
use super::screen::Screen;
use crate::pod::jsonpath::{self, JsonPathError, Path};

/// Printed where a column finds nothing.
const NONE: &str = "<none>";

/// Headings, and what stands below them.
#[derive(Clone, Debug)]
pub struct CustomColumns {
    columns: Vec<(String, Path)>,
}

impl CustomColumns {
    /// Reads `HEADING:PATH,HEADING:PATH`.
    ///
    /// # Errors
    /// A column lacks its path, or the path cannot be read: words for the person who typed it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let columns = apart(text).into_iter().map(|column| match column.split_once(':') {
            Some((heading, path)) if !heading.is_empty() && !path.is_empty() => {
                Ok((heading.to_string(), Path::relaxed(path).map_err(|e| wrong(heading, path, &e))?))
            }
            _ => Err(format!("custom-columns: {column:?} is no HEADING:PATH, such as NAME:.metadata.name")),
        });
        columns.collect::<Result<_, _>>().map(|columns| Self { columns })
    }

    /// Reads the form of a file: headings on the first line, the paths below them on the second.
    ///
    /// # Errors
    /// The lines do not have the same number of words, or a path cannot be read.
    pub fn parse_file(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        let [headings, paths] =
            [(); 2].map(|()| lines.next().unwrap_or_default().split_whitespace().collect::<Vec<_>>());
        if headings.is_empty() || headings.len() != paths.len() {
            return Err("a line with headings and one with as many paths is expected".into());
        }
        let column = |(heading, path): (&&str, &&str)| {
            Ok(((*heading).to_string(), Path::relaxed(path).map_err(|e| wrong(heading, path, &e))?))
        };
        headings.iter().zip(&paths).map(column).collect::<Result<_, _>>().map(|columns| Self { columns })
    }

    /// The table of `objects`.
    ///
    /// # Errors
    /// A path does not fit an object.
    pub fn print(&self, objects: &[Value], headings: bool, screen: Screen) -> Result<String, String> {
        let mut grid = Grid::new(screen);
        if headings {
            grid.row(self.columns.iter().map(|(heading, _)| heading.as_str()));
        }
        for object in objects {
            let row =
                self.columns.iter().map(|(heading, path)| cell(path, object).map_err(|e| format!("{heading}: {e}")));
            grid.row(row.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(grid.take())
    }
}

fn wrong(heading: &str, path: &str, e: &JsonPathError) -> String {
    format!("custom-columns: {heading}: {path:?}: {e}")
}

/// Commas between columns, but not those within brackets or quotes.
fn apart(text: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut start, mut parts) = (0_usize, None, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '(' | '{') => depth += 1,
            (None, ']' | ')' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

fn cell(path: &Path, object: &Value) -> Result<String, JsonPathError> {
    let found = path.find(object)?;
    let mut out = String::new();
    for (i, value) in found.iter().enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        jsonpath::text(value, &mut out);
    }
    Ok(if found.is_empty() { NONE.into() } else { out })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_of_ones_own() {
        let pods = [
            json!({"metadata": {"name": "web"}, "spec": {"containers": [{"image": "a:1"}, {"image": "b:1"}]}}),
            json!({"metadata": {"name": "db", "labels": {"app": "x"}}, "spec": {"containers": [{"image": "c:1"}]}}),
        ];
        let print = |columns: CustomColumns, headings| columns.print(&pods, headings, Screen::default()).unwrap();
        let columns =
            CustomColumns::parse("NAME:.metadata.name,IMAGES:spec.containers[*].image,APP:{.metadata.labels.app}");
        assert_eq!(
            print(columns.unwrap(), true),
            "NAME   IMAGES    APP\nweb    a:1,b:1   <none>\ndb     c:1       x\n"
        );
        let one =
            CustomColumns::parse("A:.spec.containers[?(@.image=='a,1')].image,B:.spec.containers[0,0].image").unwrap();
        assert_eq!(print(one, false), "<none>   a:1,a:1\n<none>   c:1,c:1\n");
        let file = CustomColumns::parse_file("NAME  IMAGE\nmetadata.name .spec.containers[0].image\n").unwrap();
        assert_eq!(print(file, true), "NAME   IMAGE\nweb    a:1\ndb     c:1\n");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, want) in [
            ("", "\"\" is no HEADING:PATH"),
            ("NAME", "\"NAME\" is no HEADING:PATH"),
            ("A:.a,B:", "\"B:\" is no HEADING:PATH"),
            ("A:.a[", "A: \".a[\": at character 4: an index"),
        ] {
            let problem = CustomColumns::parse(text).unwrap_err();
            assert!(problem.contains(want), "{text}: {problem}");
        }
        assert!(CustomColumns::parse_file("A B\n.a\n").is_err());
        let pod = [json!({"a": 1})];
        let problem = CustomColumns::parse("A:.a[0]").unwrap().print(&pod, true, Screen::default()).unwrap_err();
        assert_eq!(problem, "A: an index needs a list, but finds a number");
    }
}
