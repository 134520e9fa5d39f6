//! The tables of a definition: creating them, and the views that show one of them.

use pillowtop_core::Definition;
use pillowtop_runtime::claim::ClaimDocument;
use pillowtop_runtime::target::TargetRef;

use super::database::{Dialect, SqlDatabase, TextRow, Transaction, quoted};
use super::error::SqlError;
use super::layout::{Layout, LayoutColumn, Role};
use super::own_tables::{create_missing, exists};

/// A table that pillowtop made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhysicalTable {
    /// Its name.
    pub name: String,
    /// A table that was dropped and created again has another one.
    pub uuid: String,
    /// The name of the view.
    pub view: String,
    /// The content hash that it was created for.
    pub hash: String,
    /// Whether the views show it.
    pub is_shown: bool,
    /// Whether everything that the databases had at some moment was in it.
    pub is_complete: bool,
}

impl PhysicalTable {
    /// It as a target.
    pub fn target(&self) -> TargetRef {
        TargetRef { name: self.name.as_str().into(), uuid: self.uuid.clone() }
    }

    /// The number at the end of its name, which rises with each table of a definition.
    fn number(&self) -> u32 {
        self.name.rsplit_once('_').and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
    }
}

/// The tables of one definition in a database.
#[derive(Debug, Clone)]
pub struct Schema {
    database: SqlDatabase,
    definition: Definition,
    layout: Layout,
}

const COLUMNS: &str = "SELECT name, uuid, view_name, hash, CAST(is_shown AS TEXT), CAST(is_complete AS TEXT) \
                       FROM pillowtop_tables";

impl Schema {
    /// The tables of a definition. Creates the tables that all definitions share, where they are
    /// missing.
    ///
    /// # Errors
    ///
    /// When the definition is not one of a table, or the database does not do something.
    pub async fn open(database: SqlDatabase, definition: Definition) -> Result<Self, SqlError> {
        let layout =
            Layout::of(&definition).ok_or_else(|| SqlError::NoTable(definition.pillow.to_string()))?;
        create_missing(&database).await?;
        Ok(Self { database, definition, layout })
    }

    /// The database.
    pub fn database(&self) -> &SqlDatabase {
        &self.database
    }

    /// The columns.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The definition.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    fn view(&self) -> &str {
        self.definition.alias.as_str()
    }

    /// All tables that the views have shown or may show; those of one definition oldest first.
    ///
    /// # Errors
    ///
    /// When the database does not respond.
    pub async fn tables(&self) -> Result<Vec<PhysicalTable>, SqlError> {
        let sql = format!("{COLUMNS} WHERE view_name = $1");
        let rows = self.database.rows("listing tables", &sql, &[self.view()]).await?;
        let mut tables: Vec<PhysicalTable> = rows.into_iter().filter_map(read).collect();
        tables.sort_by_key(|table| (table.hash.clone(), table.number()));
        Ok(tables)
    }

    /// The tables of the committed definition, oldest first.
    ///
    /// # Errors
    ///
    /// When the database does not respond.
    pub async fn current(&self) -> Result<Vec<PhysicalTable>, SqlError> {
        let hash = self.definition.hash.to_string();
        Ok(self.tables().await?.into_iter().filter(|table| table.hash == hash).collect())
    }

    /// How many documents were computed into a table.
    ///
    /// # Errors
    ///
    /// When the database does not respond.
    pub async fn count(&self, table: &str) -> Result<u64, SqlError> {
        count(&self.database, table, None).await
    }

    /// Creates another table of the committed definition, to be loaded and then completed. The views
    /// show it if there are none yet.
    ///
    /// # Errors
    ///
    /// When something of its name exists, or the database does not do something.
    pub async fn create(&self) -> Result<PhysicalTable, SqlError> {
        let number = self.current().await?.last().map_or(0, PhysicalTable::number) + 1;
        let name = self.definition.index_name(None, number).to_string();
        let uuid = format!("{:032x}", fastrand::u128(..));
        let mut transaction = self.database.begin().await?;
        let dialect = self.database.dialect();
        for statement in self.statements(dialect, &name) {
            transaction.execute(&format!("creating table `{name}`"), &statement, &[]).await?;
        }
        let hash = self.definition.hash.to_string();
        let sql = "INSERT INTO pillowtop_tables VALUES ($1, $2, $3, $4, 0, 0, 0)";
        transaction.execute("noting a table", sql, &[&name, &uuid, self.view(), &hash]).await?;
        let sql = "SELECT name FROM pillowtop_tables WHERE view_name = $1 AND is_shown = 1";
        let is_first = transaction.rows("reading the view", sql, &[self.view()]).await?.is_empty();
        if is_first {
            self.show(&mut transaction, &name).await?;
        }
        transaction.commit().await?;
        Ok(PhysicalTable {
            name,
            uuid,
            view: self.view().to_owned(),
            hash,
            is_shown: is_first,
            is_complete: false,
        })
    }

    fn statements(&self, dialect: Dialect, name: &str) -> Vec<String> {
        let columns: Vec<String> = self
            .layout
            .columns
            .iter()
            .map(|column| format!("{} {}", quoted(&column.name), dialect.type_name(column.column_type)))
            .collect();
        let (table, documents) = (quoted(name), quoted(&documents(name)));
        vec![
            format!("CREATE TABLE {table} (doc_id TEXT NOT NULL, {})", columns.join(", ")),
            format!("CREATE INDEX {} ON {table} (doc_id)", quoted(&format!("{name}_doc"))),
            format!(
                "CREATE TABLE {documents} (doc_id TEXT PRIMARY KEY, db TEXT NOT NULL, rev TEXT NOT NULL)"
            ),
        ]
    }

    /// The index of groups and dates, which only queries need: a load is faster without it.
    fn key_index(&self, name: &str) -> String {
        let groups: Vec<String> = self.layout.groups().map(|column| quoted(&column.name)).collect();
        let key = [groups.as_slice(), &["date".to_owned()]].concat().join(", ");
        let index = quoted(&format!("{name}_key"));
        format!("CREATE INDEX IF NOT EXISTS {index} ON {} ({key})", quoted(name))
    }

    /// Creates the index that queries need, for a table that is followed and never completed.
    pub(crate) async fn index_keys(&self, table: &PhysicalTable) -> Result<(), SqlError> {
        let mut transaction = self.database.begin().await?;
        transaction.execute("creating an index", &self.key_index(&table.name), &[]).await?;
        transaction.commit().await
    }

    /// Creates the index that queries need, and notes that a table has everything that its databases
    /// had at some moment, so that the views may show it.
    ///
    /// # Errors
    ///
    /// When the table was dropped, or the database does not do something.
    pub async fn complete(&self, table: &PhysicalTable) -> Result<(), SqlError> {
        let mut transaction = self.database.begin().await?;
        let sql = "UPDATE pillowtop_tables SET is_complete = 1 WHERE name = $1 AND uuid = $2";
        if transaction.execute("noting a complete table", sql, &[&table.name, &table.uuid]).await? == 0 {
            return Err(SqlError::NoTable(self.view().to_owned()));
        }
        let doing = format!("creating an index of table `{}`", table.name);
        transaction.execute(&doing, &self.key_index(&table.name), &[]).await?;
        transaction.commit().await
    }

    /// Lets the views show a complete table, all in one transaction.
    ///
    /// # Errors
    ///
    /// When the table is not complete, something of a view's name exists that pillowtop did not
    /// make, another view uses one of them, or the database does not do something.
    pub async fn flip(&self, table: &PhysicalTable) -> Result<(), SqlError> {
        let mut transaction = self.database.begin().await?;
        let sql = "SELECT name FROM pillowtop_tables WHERE name = $1 AND uuid = $2 AND is_complete = 1";
        let found = transaction.rows("reading a table", sql, &[&table.name, &table.uuid]).await?;
        if found.is_empty() {
            return Err(SqlError::Incomplete(table.name.clone()));
        }
        self.show(&mut transaction, &table.name).await?;
        transaction.commit().await
    }

    /// Lets the views show the table that they showed before.
    ///
    /// # Errors
    ///
    /// When there is none, it has other columns than the committed definition, or the database does
    /// not do something.
    pub async fn rollback(&self) -> Result<PhysicalTable, SqlError> {
        let earlier = self.earlier().await?;
        let mut transaction = self.database.begin().await?;
        self.show(&mut transaction, &earlier.name).await?;
        transaction.commit().await?;
        Ok(earlier)
    }

    /// The table that the views showed before.
    ///
    /// # Errors
    ///
    /// When there is none, it has other columns than the committed definition, or the database does
    /// not respond.
    pub async fn earlier(&self) -> Result<PhysicalTable, SqlError> {
        let earlier = self.previous().await?;
        let earlier = earlier.ok_or_else(|| SqlError::NoEarlier(self.view().to_owned()))?;
        if earlier.hash != self.definition.hash.to_string() {
            return Err(SqlError::Query(format!(
                "table `{}` has another definition than this program: go back with the release that made it",
                earlier.name
            )));
        }
        Ok(earlier)
    }

    /// The table that the views showed before, of whatever definition.
    async fn previous(&self) -> Result<Option<PhysicalTable>, SqlError> {
        let sql = format!(
            "{COLUMNS} WHERE view_name = $1 AND is_shown = 0 AND was_shown > 0 ORDER BY was_shown DESC LIMIT 1"
        );
        let rows = self.database.rows("reading earlier tables", &sql, &[self.view()]).await?;
        Ok(rows.into_iter().find_map(read))
    }

    /// The tables that nothing needs: the views do not show them, a rollback would not either, and
    /// there is a newer one of the committed definition.
    ///
    /// # Errors
    ///
    /// When the database does not respond.
    pub async fn unused(&self) -> Result<Vec<PhysicalTable>, SqlError> {
        let needed: Vec<PhysicalTable> =
            self.previous().await?.into_iter().chain(self.current().await?.pop()).collect();
        let is_unused =
            |table: &PhysicalTable| !table.is_shown && needed.iter().all(|needed| needed.uuid != table.uuid);
        Ok(self.tables().await?.into_iter().filter(is_unused).collect())
    }

    /// Drops a table that the views do not show, with its claims and dead letters.
    ///
    /// # Errors
    ///
    /// When the views show it, a process writes to it, or the database does not do something.
    pub async fn drop_table(&self, table: &PhysicalTable) -> Result<(), SqlError> {
        let mut transaction = self.database.begin().await?;
        let sql = "DELETE FROM pillowtop_tables WHERE name = $1 AND uuid = $2 AND is_shown = 0";
        if transaction.execute("forgetting a table", sql, &[&table.name, &table.uuid]).await? == 0 {
            return Err(SqlError::Query(format!("the views show table `{}`", table.name)));
        }
        let sql = "SELECT value FROM pillowtop_claims WHERE key LIKE $1";
        let claims = transaction.rows("reading claims", sql, &[&format!("claim:{}%", table.uuid)]).await?;
        let has_owner = |text: String| {
            serde_json::from_str::<ClaimDocument>(&text).is_ok_and(|claim| claim.live_owner().is_some())
        };
        if claims.into_iter().flatten().flatten().any(has_owner) {
            return Err(SqlError::InUse(table.name.clone()));
        }
        for name in [table.name.clone(), documents(&table.name)] {
            transaction.execute("dropping a table", &format!("DROP TABLE {}", quoted(&name)), &[]).await?;
        }
        let sql = "DELETE FROM pillowtop_claims WHERE key LIKE $1";
        for kind in ["claim", "past", "request", "report", "verified"] {
            transaction.execute("forgetting claims", sql, &[&format!("{kind}:{}%", table.uuid)]).await?;
        }
        let sql = "DELETE FROM pillowtop_events WHERE target = $1";
        transaction.execute("forgetting changes", sql, &[&table.uuid]).await?;
        let sql = "DELETE FROM pillowtop_dead_letters WHERE target = $1";
        transaction.execute("forgetting dead letters", sql, &[&table.uuid]).await?;
        transaction.commit().await
    }

    async fn show(&self, transaction: &mut Transaction, table: &str) -> Result<(), SqlError> {
        let sql = "SELECT name FROM pillowtop_views WHERE owner = $1";
        for row in transaction.rows("listing views", sql, &[self.view()]).await? {
            let Some(Some(name)) = row.into_iter().next() else { continue };
            let doing = format!("replacing view `{name}`, which another view may use,");
            transaction.execute(&doing, &format!("DROP VIEW IF EXISTS {}", quoted(&name)), &[]).await?;
        }
        let sql = "DELETE FROM pillowtop_views WHERE owner = $1";
        transaction.execute("noting views", sql, &[self.view()]).await?;
        let exists = exists(self.database.dialect());
        for (name, query) in self.views(table) {
            if !transaction.rows("looking for views", exists, &[&name]).await?.is_empty() {
                return Err(SqlError::NotOurs(name));
            }
            let sql = format!("CREATE VIEW {} AS {query}", quoted(&name));
            transaction.execute(&format!("creating view `{name}`"), &sql, &[]).await?;
            let sql = "INSERT INTO pillowtop_views VALUES ($1, $2)";
            transaction.execute("noting views", sql, &[&name, self.view()]).await?;
        }
        let sql = "UPDATE pillowtop_tables SET was_shown = (SELECT MAX(was_shown) + 1 FROM pillowtop_tables), \
                   is_shown = 0 WHERE view_name = $1 AND is_shown = 1";
        transaction.execute("noting what is shown", sql, &[self.view()]).await?;
        let sql = "UPDATE pillowtop_tables SET is_shown = 1 WHERE name = $1";
        transaction.execute("noting what is shown", sql, &[table]).await?;
        Ok(())
    }

    /// The views of a table: their names and queries.
    fn views(&self, table: &str) -> Vec<(String, String)> {
        let table = quoted(table);
        let mut views = vec![(self.view().to_owned(), format!("SELECT * FROM {table}"))];
        for calculator in self.layout.calculators() {
            let groups = self.layout.groups().map(|column| quoted(&column.name));
            let mut columns = vec!["doc_id".to_owned()];
            columns.extend(groups);
            columns.push("date".to_owned());
            let values: Vec<&LayoutColumn> = self.layout.values(calculator).collect();
            columns.extend(values.iter().map(|column| value_column(column)));
            let any: Vec<String> =
                values.iter().map(|column| format!("{} IS NOT NULL", quoted(&column.name))).collect();
            let query = format!("SELECT {} FROM {table} WHERE {}", columns.join(", "), any.join(" OR "));
            views.push((format!("{}_{calculator}", self.view()), query));
        }
        views
    }
}

/// The tables of all definitions.
///
/// # Errors
///
/// When the database does not respond.
pub async fn all_tables(database: &SqlDatabase) -> Result<Vec<PhysicalTable>, SqlError> {
    let rows = database.rows("listing tables", COLUMNS, &[]).await?;
    Ok(rows.into_iter().filter_map(read).collect())
}

/// How many documents were computed into a table, of one database or of all.
pub(crate) async fn count(database: &SqlDatabase, table: &str, of: Option<&str>) -> Result<u64, SqlError> {
    let table = quoted(&documents(table));
    let sql = format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table} WHERE $1 = '' OR db = $1");
    let found = database.rows("counting documents", &sql, &[of.unwrap_or_default()]).await?;
    Ok(found.into_iter().flatten().flatten().next().and_then(|count| count.parse().ok()).unwrap_or(0))
}

/// The column of an emitter in the view of its calculator: a mean as such.
fn value_column(column: &LayoutColumn) -> String {
    let name = quoted(&column.name);
    match &column.role {
        Role::Value { emitter, reduce: crate::emitter::Reduce::Avg, .. } => format!(
            "CAST({name} AS DOUBLE PRECISION) / {} AS {}",
            quoted(&format!("{}_n", column.name)),
            quoted(emitter)
        ),
        Role::Value { emitter, .. } => format!("{name} AS {}", quoted(emitter)),
        _ => name,
    }
}

/// The name of the table with the documents of a table.
pub(crate) fn documents(table: &str) -> String {
    format!("{table}_docs")
}

fn read(row: TextRow) -> Option<PhysicalTable> {
    let mut row = row.into_iter().flatten();
    let (name, uuid, view, hash) = (row.next()?, row.next()?, row.next()?, row.next()?);
    let (is_shown, is_complete) = (row.next()? == "1", row.next()? == "1");
    Some(PhysicalTable { name, uuid, view, hash, is_shown, is_complete })
}
