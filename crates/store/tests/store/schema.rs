//! One schema, one SQL: whatever is written in this crate means the same to both databases.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{Kind, Place, open};
use jeton_store::Location;
use postgres::NoTls;
use rusqlite::Connection;

/// Table and column, to type and whether it may be null.
type Columns = BTreeMap<(String, String), (String, bool)>;

fn sqlite_place() -> (Place, Connection) {
    let place = Place::new(Kind::Sqlite);
    drop(open(&place.location()));
    let Location::Sqlite { path } = place.location() else {
        panic!("not a file")
    };
    (place, Connection::open(path).unwrap())
}

fn postgres_place() -> postgres::Client {
    let place = Place::new(Kind::Postgres);
    drop(open(&place.location()));
    let Location::Postgres { url } = place.location() else {
        panic!("not an address")
    };
    postgres::Client::connect(&url, NoTls).unwrap()
}

#[test]
fn both_databases_have_the_same_tables() {
    let (_place, sqlite) = sqlite_place();
    let mut here = Columns::new();
    let mut statement = sqlite
        .prepare(
            "SELECT m.name, c.name, c.type, c.\"notnull\" FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table'",
        )
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let kind: String = row.get(2).unwrap();
        let fixed: bool = row.get(3).unwrap();
        here.insert(
            (row.get(0).unwrap(), row.get(1).unwrap()),
            (kind.to_lowercase(), !fixed),
        );
    }
    let mut there = Columns::new();
    let rows = postgres_place()
        .query(
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text \
             FROM information_schema.columns WHERE table_schema = current_schema()",
            &[],
        )
        .unwrap();
    for row in rows {
        let nullable: String = row.get(3);
        there.insert((row.get(0), row.get(1)), (row.get(2), nullable == "YES"));
    }
    assert!(here.len() > 100, "{}", here.len());
    assert_eq!(here, there);
}

#[test]
fn both_databases_have_the_same_indexes() {
    let (_place, sqlite) = sqlite_place();
    let mut statement = sqlite
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
        )
        .unwrap();
    let here: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let rows = postgres_place()
        .query(
            "SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema() \
             AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key' ORDER BY indexname",
            &[],
        )
        .unwrap();
    let there: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(!here.is_empty());
    assert_eq!(here, there);
}

// SEC-R06
#[test]
fn the_tenant_is_the_first_column_of_every_key() {
    let (_place, sqlite) = sqlite_place();
    let mut statement = sqlite
        .prepare(
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND c.pk = 1",
        )
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut tables = 0;
    while let Some(row) = rows.next().unwrap() {
        let (table, column): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        let of_all = ["tenants", "migrations", "leases", "versions"].contains(&table.as_str());
        assert!(
            of_all || column == "tenant_id",
            "{table} begins with {column}"
        );
        tables += 1;
    }
    assert!(tables > 12);
}

#[test]
fn every_statement_is_understood_by_both_databases() {
    let (_place, sqlite) = sqlite_place();
    let mut postgres = postgres_place();
    let mut count = 0;
    for (file, sql) in statements() {
        if let Err(error) = sqlite.prepare(&sql) {
            panic!("{file}: SQLite: {error}: {sql}");
        }
        if let Err(error) = postgres.prepare(&sql) {
            panic!("{file}: PostgreSQL: {error:?}: {sql}");
        }
        count += 1;
    }
    assert!(count > 70, "{count}");
}

/// The files that speak to one database alone.
const FLOOR: [&str; 5] = [
    "sqlite.rs",
    "sqlite_file.rs",
    "postgres.rs",
    "postgres_link.rs",
    "migrate.rs",
];

fn statements() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if FLOOR.contains(&name.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        for literal in literals(&text) {
            if ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "]
                .iter()
                .any(|verb| literal.starts_with(verb))
            {
                found.push((name.clone(), literal));
            }
        }
    }
    found
}

/// The plain string literals of a source file, as the compiler would read them.
fn literals(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(next) = chars.next() {
        if next != '"' {
            continue;
        }
        let mut literal = String::new();
        while let Some(next) = chars.next() {
            match next {
                '"' => break,
                '\\' => match chars.next() {
                    Some('\n') => while chars.next_if(|next| next.is_whitespace()).is_some() {},
                    Some(escaped) => literal.push(escaped),
                    None => {}
                },
                other => literal.push(other),
            }
        }
        found.push(literal);
    }
    found
}
