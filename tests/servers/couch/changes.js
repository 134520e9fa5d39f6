// `/{db}/_changes` of the CouchDB-like test server, byte for byte in CouchDB 3.5's form: opaque sequences, `pending`, one row a
// line, `limit` and `timeout`, the `last_seq` line of a continuous feed, eventsource, the built-in filters, `fields`.
'use strict';

const { matchesSelector } = require('pouchdb-selector-core');
const { decode } = require('./sequences');
const { head, orderedDocument, parseJson, refusal } = require('./answers');

const FEEDS = ['normal', 'longpoll', 'continuous', 'eventsource'];
/** Rows that are read from PouchDB at a time. */
const PAGE = 1000;
/** CouchDB's `[chttpd] changes_timeout`, in milliseconds. */
const LONGEST_WAIT = 60000;
/** How often an idle feed looks for news, in milliseconds. */
const POLL = 10;

/** Checks the query and makes of it what the feed needs. */
function readQuery(request, query, text) {
  const feed = query.feed === 'live' ? 'continuous' : query.feed || 'normal';
  if (!FEEDS.includes(feed)) throw refusal(400, 'bad_request', 'Supported `feed` types: normal, continuous, live, longpoll, eventsource');
  if (query.heartbeat !== undefined && query.heartbeat !== 'true' && !/^[1-9]\d*$/.test(query.heartbeat)) {
    throw refusal(400, 'bad_request', 'The heartbeat value should be a positive integer (in milliseconds).');
  }
  for (const name of ['limit', 'timeout']) {
    if (query[name] !== undefined && !/^\d+$/.test(query[name])) throw refusal(500, 'unknown_error', 'badarg');
  }
  const settings = {
    feed,
    filter: query.filter,
    descending: query.descending === 'true',
    limit: query.limit === undefined ? Infinity : Number(query.limit),
    heartbeat: query.heartbeat === 'true' ? LONGEST_WAIT : Number(query.heartbeat || 0),
    timeout: Math.min(Number(query.timeout || LONGEST_WAIT), LONGEST_WAIT),
    interval: Number(query.seq_interval) || 1,
    fields: undefined,
    options: { descending: query.descending === 'true' },
  };
  const { options } = settings;
  for (const name of ['include_docs', 'conflicts', 'attachments']) if (query[name] === 'true') options[name] = true;
  if (query.style) options.style = query.style;
  readFilter(request, query, text, settings);
  return settings;
}

function readFilter(request, query, text, settings) {
  const { options } = settings;
  const json = () => {
    if (!/^application\/json/.test(request.headers['content-type'] || '')) {
      throw refusal(415, 'bad_content_type', 'Content-Type must be application/json');
    }
    return parseJson(text);
  };
  switch (query.filter) {
    case undefined: // doc_ids without the filter are ignored, as CouchDB does.
    case '_design':
      break;
    case '_selector': {
      if (request.method !== 'POST' || !text) throw refusal(400, 'bad_request', 'Selector must be specified in POST payload');
      const { selector, fields } = json();
      if (!selector) throw refusal(400, 'bad_request', 'Selector must be specified in POST payload');
      options.filter = document => passes(selector, document);
      if (Array.isArray(fields) && fields.length > 0) settings.fields = fields;
      break;
    }
    case '_doc_ids':
      options.doc_ids = request.method === 'POST' ? json().doc_ids : parseJson(query.doc_ids || 'null');
      if (!Array.isArray(options.doc_ids)) throw refusal(400, 'bad_request', '`doc_ids` filter parameter is not a list of doc ids.');
      break;
    case '_view':
      options.filter = '_view';
      options.view = query.view;
      break;
    default:
      options.filter = query.filter;
      options.query_params = query;
  }
}

/** Whether a document passes a selector. PouchDB evaluates what a selector has of one field; combined selectors it merges, and fails at some. */
function passes(selector, document) {
  return Object.entries(selector).every(([name, operand]) => {
    switch (name) {
      case '$and':
        return operand.every(inner => passes(inner, document));
      case '$or':
        return operand.some(inner => passes(inner, document));
      case '$nor':
        return !operand.some(inner => passes(inner, document));
      case '$not':
        return !passes(operand, document);
      default:
        return matchesSelector(document, { [name]: operand });
    }
  });
}

/** The fields of a document that a selector's `fields` keeps; `a.b` reaches into objects. */
function pick(document, fields) {
  const picked = {};
  for (const field of fields) {
    const names = field.split('.');
    let value = document;
    for (const name of names) value = value === null || typeof value !== 'object' ? undefined : value[name];
    if (value === undefined) continue;
    let target = picked;
    for (const name of names.slice(0, -1)) target = target[name] = target[name] || {};
    target[names[names.length - 1]] = value;
  }
  return picked;
}

/** Reads a database's changes from a position on, page after page. */
class Reader {
  constructor(database, settings, position) {
    Object.assign(this, { database, settings, position, left: settings.limit, written: 0 });
    /** How far PouchDB has looked; a `_doc_ids` filter leaves the position behind this. */
    this.seen = position;
  }

  /** The next rows. The position moves past what a filter dropped, too. Empty: there is nothing more for now. */
  async take() {
    const { descending, filter, options } = this.settings;
    while (this.left > 0) {
      const wanted = Math.min(this.left, descending ? Infinity : PAGE);
      const newest = await this.database.newest();
      const page = await this.database.pouch.changes({ ...options, since: this.position, ...(wanted === Infinity ? {} : { limit: wanted }) });
      const full = page.results.length >= wanted;
      const rows = filter === '_design' ? page.results.filter(row => row.id.startsWith('_design/')) : page.results;
      if (page.results.length > 0) {
        // A full page ends at its last row; PouchDB's last_seq may lie past rows that the limit left out.
        this.position = full || descending ? page.results[page.results.length - 1].seq : Math.max(page.last_seq, this.position);
      } else {
        this.position = Math.max(page.last_seq, this.position);
      }
      this.seen = full ? this.position : Math.max(this.position, newest);
      if (rows.length > 0) {
        this.left = descending ? 0 : this.left - rows.length;
        return rows;
      }
      if (!full) break;
    }
    return [];
  }

  /** Whether anything was written that was not read. */
  async news() {
    return (await this.database.newest()) > this.seen;
  }

  text(row) {
    const { interval, fields } = this.settings;
    const withSequence = this.written % interval === 0;
    this.written += 1;
    const document = fields && row.doc ? pick(row.doc, fields) : orderedDocument(row.doc);
    return JSON.stringify({
      seq: withSequence ? this.database.sequence(row.seq) : null,
      id: row.id,
      changes: row.changes,
      ...(row.deleted ? { deleted: true } : {}),
      ...(row.doc === undefined ? {} : { doc: document }),
    });
  }

  /** The two keys that end an answer. */
  async ending() {
    return `"last_seq":${JSON.stringify(this.database.sequence(this.position))},"pending":${await this.database.pending(this.position)}}`;
  }
}

/** Writes, and waits if the client does not read. */
function write(response, text) {
  if (response.destroyed || response.write(text)) return Promise.resolve();
  return new Promise(resolve => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** Rows as lines with commas between them, till there are no more; then the end of the object. */
async function finishList(response, reader, first) {
  let rows = first;
  let separator = '';
  while (rows.length > 0 && !response.destroyed) {
    await write(response, separator + rows.map(row => reader.text(row)).join(',\n'));
    separator = ',\n';
    rows = reader.settings.descending ? [] : await reader.take();
  }
  response.end(`\n],\n${await reader.ending()}\n`);
}

/** Waits for rows, sending heartbeats; an empty list after the timeout. Throws if the database was deleted. */
async function waitForRows(response, reader, idleSince) {
  const { heartbeat, timeout, feed } = reader.settings;
  const beat = feed === 'eventsource' ? 'event: heartbeat\ndata: \n\n' : '\n';
  let lastBeat = Date.now();
  while (!response.destroyed && (heartbeat > 0 || Date.now() - idleSince < timeout)) {
    if (reader.database.gone) throw refusal(404, 'not_found', 'Database does not exist.');
    if (await reader.news()) {
      const rows = await reader.take();
      if (rows.length > 0) return rows;
    }
    if (heartbeat > 0 && Date.now() - lastBeat >= heartbeat) {
      lastBeat = Date.now();
      await write(response, beat);
    }
    await new Promise(resolve => setTimeout(resolve, POLL));
  }
  return [];
}

async function longpoll(response, reader, first) {
  await write(response, '{"results":[\n');
  let rows = first;
  if (rows.length === 0 && reader.left > 0) {
    await write(response, '\n');
    // A deleted database ends a longpoll with an ordinary empty result.
    rows = await waitForRows(response, reader, Date.now()).catch(() => []);
  }
  await finishList(response, reader, rows);
}

async function stream(response, reader, first) {
  const eventSource = reader.settings.feed === 'eventsource';
  const frame = row => {
    const text = reader.text(row);
    return eventSource ? `data: ${text}\nid: ${JSON.stringify(reader.database.sequence(row.seq))}\n\n` : text + '\n';
  };
  await write(response, '\n');
  let rows = first;
  let idleSince = Date.now();
  for (;;) {
    while (rows.length > 0 && !response.destroyed) {
      await write(response, rows.map(frame).join(''));
      idleSince = Date.now();
      rows = await reader.take();
    }
    if (response.destroyed) return;
    if (reader.left <= 0) break;
    // A deleted database cuts the stream: the error goes up and destroys the response.
    rows = await waitForRows(response, reader, idleSince);
    if (rows.length === 0) break;
  }
  response.end(eventSource ? '\n' : `{${await reader.ending()}\n`);
}

/** Answers a request for changes. */
async function changes(request, response, database, query, text) {
  const settings = readQuery(request, query, text);
  let since = query.since;
  const lastEvent = request.headers['last-event-id'];
  if (settings.feed === 'eventsource' && lastEvent) since = lastEvent.replace(/^"|"$/g, '');
  const position = since === 'now' ? await database.newest() : decode(database.instance, since);
  if (position === undefined) throw refusal(400, 'bad_request', "Malformed sequence supplied in 'since' parameter.");
  const reader = new Reader(database, settings, position);
  const first = await reader.take(); // Before the headers: a filter that does not exist is a plain error.
  head(response, 200, settings.feed === 'eventsource' ? 'text/event-stream' : 'application/json');
  if (settings.feed === 'normal') {
    await write(response, '{"results":[\n');
    await finishList(response, reader, first);
  } else if (settings.feed === 'longpoll') {
    await longpoll(response, reader, first);
  } else {
    await stream(response, reader, first);
  }
}

module.exports = { changes };
