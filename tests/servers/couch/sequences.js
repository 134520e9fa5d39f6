// The update sequences of the CouchDB-like test server: opaque strings, as CouchDB's are.
//
// CouchDB's sequence names the shards it was made from. Ours names the instance of the database (its creation time), which gives
// the behaviour that matters to a consumer: a sequence of another instance, or of another database, is accepted and means "from
// the start", while text that never was a sequence is refused.
'use strict';

const HEAD = 'g1AAAACF';

/** The opaque form of PouchDB's sequence number. */
function encode(instance, number) {
  return `${number}-${HEAD}${Buffer.from(`${instance}:${number}`).toString('base64url')}`;
}

/** PouchDB's sequence number for what a client sent as `since`; `undefined` if it is malformed. */
function decode(instance, text) {
  if (text === undefined || text === '0') return 0;
  const match = /^(?:\d+-)?g1AAAACF([A-Za-z0-9_-]+)$/.exec(text);
  if (!match) return undefined;
  const inner = /^(\d+):(\d+)$/.exec(Buffer.from(match[1], 'base64url').toString());
  if (!inner) return undefined;
  return inner[1] === instance ? Number(inner[2]) : 0;
}

module.exports = { encode, decode };
