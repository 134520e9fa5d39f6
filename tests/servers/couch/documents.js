// What else differs between PouchDB and CouchDB 3.5 and matters to a reader of a database: `_bulk_get` of deleted and missing
// documents, `_local` documents, the reason of a 404, `startkey_docid` of views.
'use strict';

const { orderedDocument, parseJson, refusal, sendError, sendJson, sendText } = require('./answers');

/** `POST /{db}/_bulk_get`. */
async function bulkGet(response, database, text) {
  const wanted = parseJson(text).docs;
  if (!Array.isArray(wanted)) throw refusal(400, 'bad_request', "Missing JSON list of 'docs'.");
  await database.refresh();
  const results = [];
  for (const { id, rev } of wanted) {
    const known = database.latest.get(id);
    // Without a revision the winner is meant, be it a deletion.
    const revision = rev || (known && known.revision);
    const missing = { error: { id, rev: rev || 'undefined', error: 'not_found', reason: 'missing' } };
    let entry = missing;
    if (revision) {
      const document = await database.pouch.get(id, { rev: revision }).catch(thrown => {
        if (thrown.status === 404) return undefined;
        throw thrown;
      });
      if (document) entry = { ok: orderedDocument(document) };
    }
    results.push({ id, docs: [entry] });
  }
  sendText(response, 200, `{"results": [${results.map(result => JSON.stringify(result)).join(',')}]}\n`);
}

/**
 * `PUT /{db}/_local/{id}`. CouchDB never returns a conflict here: the new revision is one more than what the client sent, and
 * "0-1" if it sent none.
 */
async function putLocal(response, database, id, text) {
  const sent = parseJson(text);
  const revision = /^0-(\d+)$/.exec(sent._rev || '0-0');
  if (!revision) throw refusal(400, 'bad_request', 'Invalid rev format');
  const kept = await database.pouch.get(id).catch(() => undefined);
  const { _rev, ...body } = sent;
  await database.pouch.put({ ...body, _id: id, ...(kept ? { _rev: kept._rev } : {}) });
  sendJson(response, 201, { ok: true, id, rev: `0-${Number(revision[1]) + 1}` });
}

/** The reason of a 404 for a document: PouchDB says "missing" of deleted ones, too. */
async function notFound(response, database, id) {
  await database.refresh();
  const known = database.latest.get(id);
  sendError(response, 404, 'not_found', known && known.deleted ? 'deleted' : 'missing');
}

/** A view's page from `startkey` and `startkey_docid` on. PouchDB ignores the latter and would start the page anew at the key's first row. */
async function viewPage(response, inner, request, url) {
  const query = url.searchParams;
  const first = query.get('startkey_docid') || query.get('start_key_doc_id');
  const key = query.get('startkey') || query.get('start_key');
  const limit = query.get('limit');
  const skip = Number(query.get('skip') || 0);
  const down = query.get('descending') === 'true';
  for (const name of ['startkey_docid', 'start_key_doc_id', 'limit', 'skip']) query.delete(name);
  const answer = await inner.ask(request, 'GET', `${url.pathname}?${query}`);
  if (answer.status !== 200) throw refusal(answer.status, answer.json.error, answer.json.reason);
  const same = JSON.stringify(key === null ? null : parseJson(key));
  const rows = answer.json.rows
    .filter(row => JSON.stringify(row.key) !== same || (down ? row.id <= first : row.id >= first))
    .slice(skip, limit === null ? undefined : skip + Number(limit));
  const text = rows.map(row => {
    const { id, key: rowKey, value, doc } = row;
    return JSON.stringify({ id, key: rowKey, value, ...(doc === undefined ? {} : { doc: orderedDocument(doc) }) });
  });
  sendText(response, 200, `{"total_rows":${answer.json.total_rows},"offset":${skip},"rows":[\n${text.join(',\n')}\n]}\n`);
}

module.exports = { bulkGet, putLocal, notFound, viewPage };
