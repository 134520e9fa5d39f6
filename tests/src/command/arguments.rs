//! What the user asked for.

use crate::cluster::Product;

pub(super) const HELP: &str = "\
Runs all tests: those of the workspace, then end to end against real servers.

Usage: cargo xtask test [OPTIONS] [-- ARGUMENTS]

The servers (OpenSearch 3.6.0, Elasticsearch 7.10.2, PostgreSQL 17.5, a CouchDB double) are installed under target/test-servers by the
first run, from Maven Central and npm. That needs Maven, Node, and a JDK 21 or newer for OpenSearch, 17 to 23 for
Elasticsearch. They listen on 127.0.0.1 only and are stopped at the end.

Options:
      --only PRODUCT      End to end against opensearch3 or elasticsearch7 alone
      --e2e-only          Only the end-to-end tests
      --without-servers   Only the tests that need no servers; not when CI=true
  -h, --help              This text

Arguments after `--` go to the end-to-end test programs, such as part of a test's name.

Exit code: 0 all passed, 1 something failed or a server did not start, 2 wrong usage.";

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Print the help.
    Help,
    /// Run tests.
    Run(Arguments),
}

/// Which tests to run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) products: Vec<Product>,
    pub(super) e2e_only: bool,
    pub(super) without_servers: bool,
    pub(super) rest: Vec<String>,
}

impl Arguments {
    /// Reads the arguments; the error is for the user.
    pub(super) fn parse(arguments: &[String], in_ci: bool) -> Result<Asked, String> {
        let mut parsed = Self {
            products: Product::TESTED.to_vec(),
            e2e_only: false,
            without_servers: false,
            rest: Vec::new(),
        };
        let mut left = arguments.iter().map(String::as_str);
        while let Some(argument) = left.next() {
            match argument {
                "-h" | "--help" => return Ok(Asked::Help),
                "--e2e-only" => parsed.e2e_only = true,
                "--without-servers" => parsed.without_servers = true,
                "--only" => parsed.products = vec![product(left.next())?],
                "--" => parsed.rest = left.by_ref().map(str::to_owned).collect(),
                other => match other.strip_prefix("--only=") {
                    Some(key) => parsed.products = vec![product(Some(key))?],
                    None => return Err(format!("unknown argument `{other}`")),
                },
            }
        }
        if parsed.without_servers && parsed.e2e_only {
            return Err("`--e2e-only` and `--without-servers` leave nothing to run".to_owned());
        }
        if parsed.without_servers && in_ci {
            return Err("`--without-servers` is not for CI, where the end-to-end tests must run".to_owned());
        }
        Ok(Asked::Run(parsed))
    }
}

fn product(key: Option<&str>) -> Result<Product, String> {
    let key = key.ok_or("`--only` needs a product: opensearch3 or elasticsearch7")?;
    let product = Product::from_key(key).filter(|product| Product::TESTED.contains(product));
    product.ok_or_else(|| format!("unknown product `{key}`: opensearch3 or elasticsearch7"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, in_ci: bool) -> Result<Asked, String> {
        let arguments: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Arguments::parse(&arguments, in_ci)
    }

    #[track_caller]
    fn check(text: &str, products: &[Product], e2e_only: bool, without_servers: bool, rest: &[&str]) {
        let rest = rest.iter().map(|&part| part.to_owned()).collect();
        let expected = Arguments { products: products.to_vec(), e2e_only, without_servers, rest };
        assert_eq!(parse(text, false), Ok(Asked::Run(expected)));
    }

    #[test]
    fn arguments_are_understood() {
        check("", &Product::TESTED, false, false, &[]);
        check("--only opensearch3", &[Product::OpenSearch3], false, false, &[]);
        check("--only=elasticsearch7 --e2e-only", &[Product::Elasticsearch7], true, false, &[]);
        check("--without-servers", &Product::TESTED, false, true, &[]);
        check(
            "--e2e-only -- --nocapture restart",
            &Product::TESTED,
            true,
            false,
            &["--nocapture", "restart"],
        );
        assert_eq!(parse("--e2e-only --help", false), Ok(Asked::Help));
    }

    #[test]
    fn wrong_arguments_are_named() {
        assert_eq!(parse("--fast", false), Err("unknown argument `--fast`".to_owned()));
        assert!(parse("--only", false).unwrap_err().contains("needs a product"));
        assert!(parse("--only solr", false).unwrap_err().contains("`solr`"));
        assert!(parse("--e2e-only --without-servers", false).is_err());
        assert!(parse("--without-servers", true).unwrap_err().contains("CI"));
    }
}
