// How the CouchDB-like test server writes its responses: CouchDB's headers, reason phrases, error bodies and key order.
'use strict';

const SERVER = 'CouchDB/3.5.0 (test double on PouchDB)';

/** Sends `value` as CouchDB sends JSON: one line with a line feed at its end. */
function sendJson(response, status, value) {
  sendText(response, status, JSON.stringify(value) + '\n');
}

/** Sends text that is JSON already. */
function sendText(response, status, text, type = 'application/json') {
  head(response, status, type, { 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

/** Writes status line and headers. */
function head(response, status, type, more = {}) {
  const headers = { 'Content-Type': type, 'Cache-Control': 'must-revalidate', Server: SERVER, ...more };
  if (status === 404) response.writeHead(status, 'Object Not Found', headers);
  else response.writeHead(status, headers);
}

/** Sends an error body. */
function sendError(response, status, error, reason) {
  sendJson(response, status, { error, reason });
}

/** Sends what PouchDB (or our own code) threw; cuts the connection when the answer has begun. */
function sendThrown(response, thrown) {
  if (response.headersSent) return void response.destroy();
  const status = (thrown && thrown.status) || 500;
  const error = status === 500 ? 'unknown_error' : thrown.error || thrown.name;
  sendError(response, status, typeof error === 'string' ? error : thrown.name, (thrown && (thrown.reason || thrown.message)) || String(thrown));
}

/** An error that `sendThrown` turns into this answer. */
function refusal(status, error, reason) {
  return Object.assign(new Error(reason), { status, error, reason });
}

/** A document with its keys in CouchDB's order. PouchDB puts `_id` and `_rev` last. */
function orderedDocument(document) {
  if (!document) return document;
  const { _id, _rev, _deleted, _attachments, _conflicts, ...body } = document;
  return {
    _id,
    _rev,
    ...body,
    ...(_attachments === undefined ? {} : { _attachments }),
    ...(_conflicts === undefined ? {} : { _conflicts }),
    ...(_deleted === undefined ? {} : { _deleted }),
  };
}

/** The body of a request. */
function readBody(request) {
  return new Promise((resolve, reject) => {
    const parts = [];
    request.on('data', part => parts.push(part));
    request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    request.on('error', reject);
  });
}

/** The JSON body of a request; refuses as CouchDB does. */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal(400, 'bad_request', 'invalid UTF-8 JSON');
  }
}

module.exports = { sendJson, sendText, sendError, sendThrown, head, refusal, orderedDocument, readBody, parseJson };
