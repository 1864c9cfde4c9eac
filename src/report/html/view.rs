//! A report as the template of a page sees it.

use minijinja::Value;
use serde::Serialize;

use blis_sim::visible;

use super::curves::{self, Rulers};
use super::{data, rows};
use crate::report::parts::{Block, Fact, GAP, Key, Mood, OnPage, Place, Report, Section};
use crate::report::plot::{Drawing, Plot};
use crate::report::table::Table;

/// A cell of more letters is broken into lines.
const LONG: usize = 40;

/// A section.
#[derive(Debug, Serialize)]
pub struct SectionView {
    heading: Option<&'static str>,
    /// Under which heading it is folded, if it is.
    fold: Option<&'static str>,
    blocks: Vec<BlockView>,
}

/// A block.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum BlockView {
    Lines {
        lines: Vec<String>,
    },
    Notes {
        lines: Vec<String>,
    },
    Facts {
        facts: Vec<FactView>,
    },
    Table(TableView),
    Code {
        text: String,
    },
    Banner {
        mood: &'static str,
        word: &'static str,
        lines: Vec<String>,
    },
    Keys {
        keys: Vec<KeyView>,
        lines: Vec<String>,
    },
    Plots {
        plots: Vec<PlotView>,
    },
}

#[derive(Debug, Serialize)]
struct FactView {
    label: &'static str,
    lines: Vec<String>,
}

#[derive(Debug, Serialize)]
struct KeyView {
    label: String,
    value: String,
    beside: String,
}

/// A table.
#[derive(Debug, Serialize)]
struct TableView {
    label: String,
    head: Vec<CellView>,
    body: Vec<Vec<CellView>>,
}

#[derive(Debug, Serialize)]
struct CellView {
    text: String,
    class: &'static str,
}

/// A plot with its data as a table, and for the script where it can be drawn by one.
#[derive(Debug, Serialize)]
struct PlotView {
    id: String,
    title: String,
    description: String,
    legend: Vec<LegendView>,
    image: Value,
    table: TableView,
    data: Option<Value>,
}

#[derive(Debug, Serialize)]
struct LegendView {
    name: String,
    swatch: Value,
}

/// The sections in the order of a page.
pub fn sections(report: &Report) -> Vec<SectionView> {
    let rank = |section: &Section| match section.place {
        Place::First => 0,
        Place::InOrder => 1,
        Place::Folded(_) => 2,
    };
    let all = report.sections.iter();
    let mut shown: Vec<&Section> = all.filter(|one| !one.blocks.is_empty()).collect();
    shown.sort_by_key(|section| rank(section));
    let mut plots = 0;
    let view = |section: &Section| {
        let mut blocks: Vec<&Block> = section.blocks.iter().collect();
        if section.place == Place::First {
            // The verdict before what it is of.
            blocks.sort_by_key(|one| !matches!(one, Block::Verdict { .. }));
        }
        SectionView {
            heading: section.heading,
            fold: match section.place {
                Place::Folded(heading) => Some(heading),
                Place::First | Place::InOrder => None,
            },
            blocks: blocks
                .into_iter()
                .map(|one| block(one, &mut plots))
                .collect(),
        }
    };
    shown.into_iter().map(view).collect()
}

/// A block; `plots` counts the plots before it, so that each has an id of its own.
fn block(block: &Block, plots: &mut usize) -> BlockView {
    match block {
        Block::Lines(lines) => BlockView::Lines {
            lines: sentences(lines),
        },
        Block::Notes(lines) => BlockView::Notes {
            lines: sentences(lines),
        },
        Block::Facts(facts) => BlockView::Facts {
            facts: facts.iter().map(fact).collect(),
        },
        Block::Table(table) | Block::OnPage(OnPage::Table(table)) => {
            BlockView::Table(table_view(table))
        }
        Block::Code { text, .. } => BlockView::Code {
            text: visible::lines(text.trim_end()).into_owned(),
        },
        Block::Verdict { mood, word, said } => BlockView::Banner {
            mood: match mood {
                Mood::Good => "good",
                Mood::Bad => "bad",
                Mood::Open => "open",
            },
            word,
            lines: after_word(word, said),
        },
        Block::Answer { facts, keys } => BlockView::Keys {
            keys: keys.iter().map(key).collect(),
            lines: sentences(facts.iter().flat_map(|fact| fact.lines.iter().skip(1))),
        },
        Block::OnPage(OnPage::Keys(keys)) => BlockView::Keys {
            keys: keys.iter().map(key).collect(),
            lines: Vec::new(),
        },
        Block::OnPage(OnPage::Plots(all)) => BlockView::Plots {
            plots: all
                .iter()
                .map(|plot| {
                    *plots += 1;
                    plot_view(&format!("plot-{plots}"), plot)
                })
                .collect(),
        },
    }
}

/// What is said, without the word that it begins with.
fn after_word(word: &str, said: &Block) -> Vec<String> {
    let mut lines: Vec<String> = match said {
        Block::Lines(lines) | Block::Notes(lines) => sentences(lines),
        Block::Facts(facts) => sentences(facts.iter().flat_map(|fact| &fact.lines)),
        _ => Vec::new(),
    };
    if let Some(first) = lines.first_mut()
        && let Some(rest) = first.strip_prefix(word)
    {
        *first = rest.trim_start_matches([':', ' ']).to_owned();
    }
    lines.retain(|line| !line.is_empty());
    lines
}

fn sentences<'a>(lines: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    lines.into_iter().map(|line| sentence(line)).collect()
}

/// A line with its figures apart by commas, as columns would not be in line.
fn sentence(line: &str) -> String {
    let line = visible::line(line.trim());
    let figures = line.split(GAP).map(str::trim);
    let figures: Vec<&str> = figures.filter(|figure| !figure.is_empty()).collect();
    figures.join(", ")
}

fn fact(fact: &Fact) -> FactView {
    FactView {
        label: fact.label,
        lines: sentences(&fact.lines),
    }
}

fn key(key: &Key) -> KeyView {
    KeyView {
        label: sentence(&key.label),
        value: sentence(&key.value),
        beside: sentence(&key.beside),
    }
}

fn table_view(table: &Table) -> TableView {
    let Some((head, body)) = table.rows().split_first() else {
        return TableView {
            label: String::new(),
            head: Vec::new(),
            body: Vec::new(),
        };
    };
    let columns: Vec<bool> = (0..head.len()).map(|at| is_of_words(body, at)).collect();
    let cell = |(at, text): (usize, &String)| CellView {
        text: visible::line(text.trim()).into_owned(),
        class: match text.trim() {
            "PASS" => "good",
            "TRIP" | "BEYOND" => "bad",
            "INCONCLUSIVE" => "open",
            long if at > 0 && long.chars().count() > LONG => "words long",
            _ if at > 0 && columns.get(at) == Some(&true) => "words",
            _ => "",
        },
    };
    let first = head.first().map(|text| text.trim());
    TableView {
        label: match first {
            Some("") | None => "table".to_owned(),
            Some(first) => visible::line(first).into_owned(),
        },
        head: head.iter().enumerate().map(cell).collect(),
        body: body
            .iter()
            .map(|row| row.iter().enumerate().map(cell).collect())
            .collect(),
    }
}

/// Whether most of a column are words, which are aligned to the left.
fn is_of_words(body: &[Vec<String>], column: usize) -> bool {
    let cells = body.iter().filter_map(|row| row.get(column));
    let said = cells.filter(|cell| !matches!(cell.trim(), "" | "-" | "not measured" | "none"));
    let (mut words, mut figures) = (0, 0);
    for cell in said {
        let first = cell
            .trim()
            .trim_start_matches(['(', '+', '-', '≥', '≤', ' ']);
        match first.starts_with(|c: char| c.is_ascii_digit()) {
            true => figures += 1,
            false => words += 1,
        }
    }
    words > figures
}

fn plot_view(id: &str, plot: &Plot) -> PlotView {
    let (image, legend, data) = match &plot.drawing {
        Drawing::Curves(drawn) => {
            let rulers = Rulers::of(drawn);
            let legend = drawn.series.iter().map(|series| LegendView {
                name: sentence(&series.name),
                swatch: Value::from_safe_string(data::swatch(series.mark, series.colour)),
            });
            (
                curves::image(id, plot, drawn, &rulers),
                legend.collect(),
                data::for_script(drawn, &rulers),
            )
        }
        Drawing::Rows(drawn) => {
            let ruler = rows::ruler(drawn);
            let legend = drawn.colours.iter().map(|(colour, name)| LegendView {
                name: sentence(name),
                swatch: Value::from_safe_string(data::block(*colour)),
            });
            (rows::image(id, plot, drawn, &ruler), legend.collect(), None)
        }
    };
    PlotView {
        id: id.to_owned(),
        title: sentence(&plot.title),
        description: sentence(&plot.description),
        legend,
        image: Value::from_safe_string(image),
        table: table_view(&data::table(&plot.drawing)),
        data: data.map(Value::from_safe_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_says_its_word_once() {
        let lines = Block::Lines(vec!["PASS: all is within".to_owned(), "b   c".to_owned()]);
        assert_eq!(after_word("PASS", &lines), ["all is within", "b, c"]);
        let mut fact = Fact::new("verdict", "TRIP");
        fact.add("why");
        assert_eq!(after_word("TRIP", &Block::Facts(vec![fact])), ["why"]);
    }

    #[test]
    fn columns_of_words_are_told_from_those_of_figures() {
        let mut table = Table::new(&["a", "b", "c", "d"]);
        table.row(["x", "1 ms", "spec", "-"].map(str::to_owned));
        table.row(["y", "not measured", "--rate", "(+3 %)"].map(str::to_owned));
        table.row(["z", "≥ 2", "9", "-"].map(str::to_owned));
        let view = table_view(&table);
        let classes: Vec<&str> = view.head.iter().map(|cell| cell.class).collect();
        assert_eq!(classes, ["", "", "words", ""]);
        assert_eq!(view.label, "a");
    }
}
