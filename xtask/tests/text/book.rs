//! The pages: a book that has all of them, links that lead somewhere, and lines that fit.

use std::collections::BTreeSet;

use crate::tree::{pages, root};

/// What links of the book to files outside of `docs/` begin with: the book has only its pages.
const REPOSITORY: &str = "https://github.com/pillowtop/pillowtop/";

const COLUMNS: usize = 100;

/// The targets of the links of a page outside of code, with the numbers of their lines.
fn links(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(page) {
        for after in line.split("](").skip(1) {
            found.extend(after.split_once(')').map(|(target, _)| (number, target.to_owned())));
        }
        for name in ["src=\"", "srcset=\""] {
            for after in line.split(name).skip(1) {
                found.extend(after.split_once('"').map(|(target, _)| (number, target.to_owned())));
            }
        }
    }
    found
}

/// The lines of a page that are not in a block of code.
fn prose(page: &str) -> Vec<(usize, &str)> {
    let mut is_code = false;
    page.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            (!is_code && !is_fence).then_some((index + 1, line))
        })
        .collect()
}

/// The anchors of a page, as GitHub and mdBook make them of headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).into_iter().filter(|(_, line)| line.starts_with('#'));
    headings
        .map(|(_, line)| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
            kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
        })
        .collect()
}

/// Why a link leads nowhere.
fn fault(path: &str, target: &str) -> Option<String> {
    let inside = target.strip_prefix(REPOSITORY);
    let target = match inside {
        Some(rest) => rest.strip_prefix("blob/main/").or(rest.strip_prefix("tree/main/"))?,
        None if target.contains("://") || target.starts_with("mailto:") => return None,
        None => target,
    };
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, at)| (file, Some(at)));
    let directory =
        if inside.is_some() { "" } else { path.rsplit_once('/').map_or("", |(parent, _)| parent) };
    if path.starts_with("docs/") && file.starts_with("../") {
        return Some(format!("write `{REPOSITORY}blob/main/…`: the book has only the pages of docs/"));
    }
    let to = if file.is_empty() { root().join(path) } else { root().join(directory).join(file) };
    if !to.exists() {
        return Some("it does not exist".to_owned());
    }
    let anchor = anchor.filter(|_| to.extension().is_some_and(|extension| extension == "md"))?;
    let page = fs_err::read_to_string(&to).unwrap();
    (!anchors(&page).contains(anchor)).then(|| "it has no such heading".to_owned())
}

#[test]
fn links_lead_somewhere() {
    let mut faults = Vec::new();
    // A template's links are those of the workspace that it becomes.
    for (path, page) in pages().iter().filter(|(path, _)| !path.contains("/template/")) {
        for (line, target) in links(page) {
            faults.extend(fault(path, &target).map(|fault| format!("{path}:{line}: `{target}`: {fault}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_book_has_every_page() {
    let summary = fs_err::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let listed: BTreeSet<String> = links(&summary).into_iter().map(|(_, target)| target).collect();
    let there = pages().into_iter().filter_map(|(path, _)| path.strip_prefix("docs/").map(str::to_owned));
    let there: BTreeSet<String> = there.filter(|page| page != "SUMMARY.md").collect();
    // An empty target is a page that is not written yet.
    let listed: BTreeSet<String> = listed.into_iter().filter(|target| !target.is_empty()).collect();
    assert_eq!(listed, there, "docs/SUMMARY.md on the left, docs/ on the right");
}

#[test]
fn lines_of_pages_fit() {
    let mut long = Vec::new();
    for (path, page) in &pages() {
        for (number, line) in prose(page) {
            let trimmed = line.trim_start();
            // A table row is one line, and so is what a log shows. A link cannot be broken. Four
            // blanks are code.
            let is_whole = trimmed.starts_with(['|', '<', '!', '>']) || !trimmed.contains(' ');
            let is_whole = is_whole || line.starts_with("    ");
            if line.chars().count() > COLUMNS && !is_whole {
                long.push(format!("{path}:{number}: {} columns", line.chars().count()));
            }
        }
    }
    assert!(long.is_empty(), "wrap at {COLUMNS} columns:\n{}", long.join("\n"));
}

#[test]
fn the_readme_fits_200_lines() {
    let lines = fs_err::read_to_string(root().join("README.md")).unwrap().lines().count();
    assert!(lines <= 200, "README.md has {lines} lines");
}

#[test]
fn links_and_anchors_are_read() {
    let page = "# A `b`: c, d\n\n[x](y.md#z) and ![i](j.svg)\n\n```text\n[no](link)\n```\n";
    assert_eq!(links(page), [(3, "y.md#z".to_owned()), (3, "j.svg".to_owned())]);
    assert!(anchors(page).contains("a-b-c-d"));
    assert!(
        fault("docs/a.md", "nowhere.md").is_some() && fault("README.md", "docs/guide.md#names").is_none()
    );
}
