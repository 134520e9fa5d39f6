//! What the commands' help teaches by example. `PROGRAM` stands for how the program is run. Lines
//! fit into a terminal of 80 columns.

pub(crate) const PILLOWS: &str = "\
Examples:
  PROGRAM pillows           their types, database, alias, hash and mapping
  PROGRAM pillows --json    the same for scripts

`pillows = [\"case\"]` in pillowtop.toml is the list of enabled ones; without it
all are.";

pub(crate) const MAKE_MAPPING: &str = "\
Examples:
  PROGRAM make-mapping case            write mappings/case.json; commit it
  PROGRAM make-mapping --check         compare all; exit code 4 if stale
  PROGRAM make-mapping case --diff     what changed, and what that requires
  PROGRAM make-mapping case --explain  each field, and what decided it";

pub(crate) const AUDIT: &str = "\
Examples:
  PROGRAM audit case --docs samples.jsonl
                             each path: seen, rejected, left out, truncated,
                             never seen
  PROGRAM audit case --docs samples/ --json
                             the same for scripts, of a directory of *.json
  PROGRAM audit case --docs http://localhost:5984/clinic --limit 10000
  PROGRAM audit case --docs samples.jsonl --target \"opensearch 3.6\"

Documents go through the filters and the transform as in `PROGRAM run`;
nothing is sent to a cluster. Exit code 4 when one would be rejected.";

pub(crate) const NEW_PILLOW: &str = "\
Examples:
  PROGRAM new-pillow visit --from-mapping visits.json
                             the module of `Visit` on standard output
  PROGRAM new-pillow visit --from-mapping visits.json --out src/visit.rs
                             into a file, settings beside it
  PROGRAM new-pillow visit --from-mapping http://localhost:9200/visits
  PROGRAM new-pillow visit --from-docs samples.jsonl --doc-type Visit
                             inferred from documents
  PROGRAM new-pillow visit --from-docs http://localhost:5984/clinic \\
                             --doc-type Visit --nested measurements

FILE is what creates an index, or what `GET index`, `GET index/_mapping` or a
template returns. What is from before Elasticsearch 7 is printed on
standard error, and in `notes` with --json.";

pub(crate) const FAST_REINDEX: &str = "\
Examples:
  PROGRAM fast-reindex case            create <alias>_<hash>_1, load it, or
                                           resume where a run stopped
  PROGRAM fast-reindex case --restart  build another one, which a run
                                           without --restart resumes
  PROGRAM fast-reindex case --wait     wait for servers that do not respond
  PROGRAM fast-reindex case --dry-run  what would be read, and why
  PROGRAM fast-reindex case --in-place
                                           send every document again
  PROGRAM fast-reindex case --selector '{\"domain\": \"d\"}'
                                           send these documents again

While a load by `ids`, `all-docs` or `view` runs, the same command on other
machines helps it. A process that dies is replaced.

Searches do not see the new index before `PROGRAM es-manage flip case`.";

pub(crate) const COUCH_VIEW: &str = "\
Examples:
  PROGRAM couch-view case            write _design/pillowtop-case, and wait
  PROGRAM couch-view case --dry-run  show it

CouchDB keeps the view up to date whenever it is read. `fast-reindex` reads it
without documents, which is the fastest form. Run it again after the filter
changes.";

pub(crate) const RUN: &str = "\
Examples:
  PROGRAM run                    follow all enabled pillows
  PROGRAM run case user          follow two
  PROGRAM run --until-caught-up  apply what there is, and exit
  PROGRAM run --dry-run          show from where each index continues
  PROGRAM run --standby --wait   as a service: wait for servers, and for
                                     indices that another process follows

The first ctrl-c (or SIGTERM) waits for unanswered requests and saves how far
it came; a second one ends at once. Either way nothing is lost.";

#[cfg(feature = "sql")]
pub(crate) const FLUFF: &str = "\
Examples:
  PROGRAM fluff query visits --group domain=pact \\
      --from 2012-01-01 --to 2012-12-31 --by month
  PROGRAM fluff query visits --csv   for spreadsheets
  PROGRAM fluff diff visits --id ID  what a document gives, and what is
                                         stored; exit code 4 if they differ

People query the views `visits` and `visits_<calculator>`. The commands that
build, follow, compare and manage indices do the same with tables:
`PROGRAM fast-reindex visits`, then `PROGRAM run`.";

pub(crate) const PREINDEX: &str = "\
Examples:
  PROGRAM preindex                  build what is missing or unfinished
  PROGRAM preindex case user        the same for two pillows
  PROGRAM preindex --check          may we deploy? 0 yes, 4 not yet
  PROGRAM preindex --jobs 4 --wait  wait for what another machine builds

It may be run twice, and from two machines at once: each index is built by one
of them. Searches see a new index after `PROGRAM es-manage flip --all`.
Exit codes: 0 all indices are complete, 4 another machine builds one, 1 one
failed.";

pub(crate) const ES_MANAGE: &str = "\
Examples:
  PROGRAM es-manage status                states, and what to do next
  PROGRAM es-manage plan                  what `apply` would do, and why
  PROGRAM es-manage apply                 do it, after asking
  PROGRAM es-manage flip --all --dry-run  show what would be moved
  PROGRAM es-manage rollback case         back to the index before
  PROGRAM es-manage prune --older-than 30d

`flip` moves the alias that is searched to the index of the committed mapping.
It does not move it to an index that no process follows, or that was not
compared: start `PROGRAM run` for the new one first, and run
`PROGRAM verify --all`. `flip` then waits until the index has every change
that the databases have now. `prune` never touches an index that pillowtop did
not make.

It manages SQL tables too, with their views for aliases; `plan` and `apply` are
about indices. `manage` is another name of this command.";

pub(crate) const VERIFY: &str = "\
Examples:
  PROGRAM verify case                  ids, revisions, and some bodies
  PROGRAM verify --all --json          all enabled pillows, for scripts
  PROGRAM verify case --all-bodies --ignore inserted_at
                                       all bodies, without one member
  PROGRAM verify case --repair         process what differs again
  PROGRAM verify --all --once          in a deploy, before `es-manage flip`

Changes may be made and applied meanwhile. Exit code 4 when documents are
missing, stale, extra or of another body, or changes are not applied. Documents
with an open dead letter are counted; they alone do not set the exit code.
`--repair` leaves the work to the process that follows the index, or takes the
index for a moment. It asks before it deletes many documents.";

pub(crate) const PROCESS: &str = "\
Examples:
  PROGRAM process case --ids ids.txt      an id on each line
  PROGRAM process case --ids ids.json     or a JSON array of strings
  PROGRAM process case --ids - --dry-run  standard input; change nothing
  PROGRAM process case --ids ids.txt --database clinic-a

Each document is fetched, decided and written or deleted, in its place among
the changes of `PROGRAM run`. A running process does the work; without one,
this command takes the index for a moment. Exit code 4 when a document became
a dead letter.";

pub(crate) const DEAD_LETTERS: &str = "\
Examples:
  PROGRAM dead-letters list case --stage decode --since 2h
                                        the newest of one pillow
  PROGRAM dead-letters list --all       those of deleted indices, too
  PROGRAM dead-letters show visit-17    one in full
  PROGRAM dead-letters replay case --error-type mapper_parsing_exception
                                        process their documents again
  PROGRAM dead-letters bury visit-17 case
                                        a document that stops its pillow
  PROGRAM dead-letters purge --index cases_3f9c0a1b2c4d_1 --dry-run
                                        list what would be removed

A dead letter goes when a later version of its document is indexed or deleted.
`replay` has exit code 4 when a document became a dead letter again.";

pub(crate) const CHECKPOINT: &str = "\
Examples:
  PROGRAM checkpoint show                   phase, position and owner
  PROGRAM checkpoint rewind case --before 2026-01-31T03:00:00Z
                                            before a snapshot was made
  PROGRAM checkpoint reset case --dry-run   what a full pass would concern
  PROGRAM checkpoint set case 1042-g1AAAACR --database clinic-a
  PROGRAM checkpoint to-head case           skip what was not yet read
  PROGRAM checkpoint export > checkpoints.json
  PROGRAM checkpoint import checkpoints.json

A running process notices the change and continues from there. After `set`,
`reset` or `rewind`, an index that was restored from a snapshot is accepted.";

pub(crate) const QUICKSTART: &str = "\
Examples:
  PROGRAM quickstart               on this machine alone, target/quickstart
  PROGRAM quickstart --directory try  into another directory
  PROGRAM quickstart \\
      --couch-url http://admin:admin@localhost:5984 \\
      --elastic-url http://localhost:9200

On real servers it makes the database `pillowtop_quickstart` and indices with
the prefix `quickstart`, and touches nothing else.";

pub(crate) const NEW: &str = "\
Examples:
  PROGRAM new ../library       a workspace with a pillow of books
  PROGRAM new ../clinic --from-couch http://localhost:5984/clinic
                             a pillow for each type of document
  PROGRAM new ../search --from-index http://localhost:9200/visits
                             a pillow with the mapping of an index
  PROGRAM new ../library --pillowtop 0.1.0
                             with a published version of pillowtop

Structs of documents and indices are compiled, their mappings are made, and
documents are audited. The first build takes a few minutes.";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  PROGRAM completions bash --name xtask > ~/.xtask.bash
  PROGRAM completions zsh --name xtask > ~/.zfunc/_xtask
  PROGRAM completions fish --name xtask \\
      > ~/.config/fish/completions/xtask.fish
  PROGRAM completions powershell --name xtask >> $PROFILE

Source the file of bash in ~/.bashrc.

No shell completes the arguments of `cargo xtask`. Define a function with the
name that the script completes: `xtask() { cargo xtask \"$@\"; }` in bash and
zsh, `function xtask; cargo xtask $argv; end` in fish, and
`function xtask { cargo xtask @args }` in PowerShell.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_fit_into_eighty_columns() {
        let all = [
            PILLOWS,
            MAKE_MAPPING,
            AUDIT,
            NEW_PILLOW,
            FAST_REINDEX,
            COUCH_VIEW,
            RUN,
            PREINDEX,
            ES_MANAGE,
            VERIFY,
            PROCESS,
            DEAD_LETTERS,
            CHECKPOINT,
            QUICKSTART,
            COMPLETIONS,
            NEW,
        ];
        for line in all.iter().flat_map(|help| help.lines()) {
            let shown = line.replace("PROGRAM", "cargo xtask");
            assert!(shown.chars().count() <= 80, "{shown}");
        }
    }
}
