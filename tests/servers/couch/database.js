// One database of the CouchDB-like test server: PouchDB's, with what CouchDB knows and PouchDB does not: the instance start time,
// how many changes are left after a sequence, how many documents are deleted.
'use strict';

const fs = require('fs');
const path = require('path');
const cleanFilename = require('express-pouchdb/lib/clean-filename');
const { encode } = require('./sequences');

class Database {
  constructor(pouch, name, instance) {
    this.pouch = pouch;
    this.name = name;
    this.instance = instance;
    /** Set when the database was deleted: feeds that are open on it have to end. */
    this.gone = false;
    /** Winning revision of each document, by id: `{ sequence, revision, deleted }`. */
    this.latest = new Map();
    /** `alive[n]` is 1 if sequence number n is some document's latest change. */
    this.alive = [];
    this.indexedTo = 0;
    this.deletedCount = 0;
    this.indexing = Promise.resolve();
  }

  /** PouchDB's number of the latest change. */
  async newest() {
    return (await this.pouch.info()).update_seq;
  }

  sequence(number) {
    return encode(this.instance, number);
  }

  /** Brings `latest` and `alive` up to date. Calls wait for each other. */
  refresh() {
    const next = this.indexing.then(async () => {
      if ((await this.newest()) === this.indexedTo) return;
      const found = await this.pouch.changes({ since: this.indexedTo });
      for (const row of found.results) this.note(row);
      this.indexedTo = found.last_seq;
    });
    this.indexing = next.catch(() => undefined);
    return next;
  }

  note(row) {
    const before = this.latest.get(row.id);
    if (before) {
      this.alive[before.sequence] = 0;
      if (before.deleted) this.deletedCount -= 1;
    }
    this.alive[row.seq] = 1;
    if (row.deleted) this.deletedCount += 1;
    this.latest.set(row.id, { sequence: row.seq, revision: row.changes[0].rev, deleted: Boolean(row.deleted) });
  }

  /** How many changes come after this sequence number, whatever a filter says of them. */
  async pending(number) {
    await this.refresh();
    let count = 0;
    for (let at = number + 1; at < this.alive.length; at += 1) if (this.alive[at]) count += 1;
    return count;
  }

  /** What `GET /{db}` answers. */
  async info() {
    await this.refresh();
    const size = this.latest.size * 1000;
    return {
      instance_start_time: this.instance,
      db_name: this.name,
      purge_seq: this.sequence(0),
      update_seq: this.sequence(this.indexedTo),
      sizes: { file: size, external: size, active: size },
      props: {},
      doc_del_count: this.deletedCount,
      doc_count: this.latest.size - this.deletedCount,
      disk_format_version: 8,
      compact_running: false,
      cluster: { q: 1, n: 1, w: 1, r: 1 },
    };
  }
}

/** All databases that have been asked for. Creation times are kept in a file, so that they survive a restart. */
class Databases {
  constructor(PouchDB, folder) {
    this.PouchDB = PouchDB;
    this.file = path.join(folder, 'instances.json');
    this.instances = fs.existsSync(this.file) ? JSON.parse(fs.readFileSync(this.file, 'utf8')) : {};
    this.open = new Map();
  }

  /** The database, which must be known to exist. */
  get(name) {
    let database = this.open.get(name);
    if (!database) {
      if (!this.instances[name]) this.created(name);
      database = new Database(new this.PouchDB(cleanFilename(name)), name, this.instances[name]);
      this.open.set(name, database);
    }
    return database;
  }

  /**
   * Notes a creation time in seconds, as CouchDB does. Two instances never share one here (CouchDB's may, within a second): a
   * test that deletes and creates a database at once must see the difference.
   */
  created(name) {
    const before = Number(this.instances[' newest'] || 0);
    const now = Math.max(Math.floor(Date.now() / 1000), before + 1);
    this.instances[' newest'] = this.instances[name] = String(now);
    this.save();
  }

  deleted(name) {
    const database = this.open.get(name);
    if (database) database.gone = true;
    this.open.delete(name);
    delete this.instances[name];
    this.save();
  }

  save() {
    fs.writeFileSync(this.file, JSON.stringify(this.instances));
  }
}

module.exports = { Databases };
