// A server for tests that answers as CouchDB 3.5 does, on PouchDB from npm (there is no CouchDB in any package registry).
//
//     node server.js PORT DIRECTORY memory|disk
//
// express-pouchdb listens on an inner loopback port and does most of the work. The front in this file answers itself where
// PouchDB differs in what a follower of changes sees (see changes.js and documents.js) and passes on the rest. DIRECTORY holds
// configuration and log, and the databases if they are kept on disk. With COUCH_TEST_ADMIN=name:password in the environment every
// request needs these credentials, as CouchDB 3's do.
//
// Not imitated: another order of rows in each answer, the lockout after five wrong passwords, numbers beyond JavaScript's.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const path = require('path');
const express = require('express');
const { bulkGet, notFound, putLocal, viewPage } = require('./documents');
const { changes } = require('./changes');
const { Databases } = require('./database');
const { readBody, refusal, sendError, sendJson, sendThrown, orderedDocument } = require('./answers');

const [, , port, folder, storage] = process.argv;
const admin = process.env.COUCH_TEST_ADMIN;
const DATABASE_NAME = /^[a-z][a-z0-9_$()+/-]*$/;
const WELCOME = {
  couchdb: 'Welcome',
  version: '3.5.0',
  git_sha: 'test-double',
  uuid: crypto.randomUUID().replaceAll('-', ''),
  features: ['access-ready', 'partitioned', 'pluggable-storage-engines', 'scheduler'],
  vendor: { name: 'a test double on PouchDB' },
};

// express-pouchdb 4.2.0 leaks some rejections; Node would end the process.
process.on('unhandledRejection', thrown => console.error('unhandled rejection:', thrown && (thrown.reason || thrown.message)));

fs.mkdirSync(folder, { recursive: true });
process.chdir(folder);
const configuration = path.join(folder, 'config.json');
if (admin) {
  const [name, ...password] = admin.split(':');
  fs.writeFileSync(configuration, JSON.stringify({ admins: { [name]: password.join(':') } }));
}
const PouchDB = require('pouchdb-core')
  .plugin(require('pouchdb-mapreduce'))
  .plugin(require('pouchdb-replication'))
  .plugin(require(storage === 'disk' ? 'pouchdb-adapter-leveldb' : 'pouchdb-adapter-memory'))
  .defaults({ prefix: folder + path.sep });
const databases = new Databases(PouchDB, folder);

const application = express();
application.use('/', require('express-pouchdb')(PouchDB, { configPath: configuration, logPath: path.join(folder, 'log.txt') }));

/** The express-pouchdb server behind the front. */
const inner = {
  server: application.listen(0, '127.0.0.1', () => front.listen(Number(port), '127.0.0.1', () => console.log('listening on', port))),
  options(method, target, headers) {
    return { host: '127.0.0.1', port: this.server.address().port, method, path: target, headers };
  },
  /** Asks for JSON with the client's credentials. */
  ask(request, method, target) {
    const headers = { host: '127.0.0.1', accept: 'application/json' };
    for (const name of ['authorization', 'cookie']) if (request.headers[name]) headers[name] = request.headers[name];
    return new Promise((resolve, reject) => {
      const asked = http.request(this.options(method, target, headers), async answer => {
        try {
          resolve({ status: answer.statusCode, json: JSON.parse(await readBody(answer)) });
        } catch (thrown) {
          reject(thrown);
        }
      });
      asked.on('error', reject).end();
    });
  },
};

/** The database, if it exists and the client may read it. */
async function openDatabase(request, segment) {
  const answer = await inner.ask(request, 'GET', `/${segment}`);
  if (answer.status === 404) throw refusal(404, 'not_found', 'Database does not exist.');
  if (answer.status !== 200) throw refusal(answer.status, answer.json.error, answer.json.reason);
  return databases.get(decodeURIComponent(segment));
}

/** Hands a request to express-pouchdb; `then` may look at the status, and answers itself if it returns true. */
function pass(request, response, then = () => false) {
  const headers = { ...request.headers };
  delete headers['accept-encoding']; // CouchDB compresses nothing.
  delete headers.connection; // It is about the outer connection.
  const passed = http.request(inner.options(request.method, request.url, headers), async answer => {
    try {
      if (await then(answer.statusCode)) return void answer.resume();
    } catch (thrown) {
      return sendThrown(response, thrown);
    }
    const given = { ...answer.headers };
    for (const name of ['connection', 'keep-alive']) delete given[name]; // They are about the inner connection.
    if (/^text\/plain/.test(given['content-type'] || '')) given['content-type'] = 'application/json';
    if (answer.statusCode === 404) response.writeHead(404, 'Object Not Found', given);
    else response.writeHead(answer.statusCode, given);
    answer.pipe(response);
  });
  passed.on('error', thrown => sendThrown(response, thrown));
  response.on('close', () => passed.destroy());
  request.pipe(passed);
}

/** Refuses what has no, or wrong, credentials. A cookie is left to express-pouchdb. */
function authorize(request, pathname) {
  if (!admin || request.headers.cookie || ['/', '/_up', '/_session'].includes(pathname)) return;
  const sent = /^Basic (.+)$/.exec(request.headers.authorization || '');
  if (!sent) throw refusal(401, 'unauthorized', 'You are not authorized to access this db.');
  if (Buffer.from(sent[1], 'base64').toString() !== admin) throw refusal(401, 'unauthorized', 'Name or password is incorrect.');
}

/** `/{db}` itself: creation, deletion, information. */
async function onDatabase(request, response, segment) {
  const name = decodeURIComponent(segment);
  if (request.method === 'PUT') {
    if (!DATABASE_NAME.test(name) && !name.startsWith('_')) {
      const reason =
        `Name: '${name}'. Only lowercase characters (a-z), digits (0-9), and any of the characters _, $, (, ), +, -, and / are ` +
        'allowed. Must begin with a letter.';
      return sendError(response, 400, 'illegal_database_name', reason);
    }
    return pass(request, response, status => void (status === 201 && databases.created(name)));
  }
  if (request.method === 'DELETE') return pass(request, response, status => void (status === 200 && databases.deleted(name)));
  if (request.method !== 'GET') return pass(request, response);
  sendJson(response, 200, await (await openDatabase(request, segment)).info());
}

/** A document by its id, with its keys in order. Anything that is more than a plain read is passed on. */
async function onDocument(request, response, segment, id, url) {
  if (request.method !== 'GET') return pass(request, response);
  const database = await openDatabase(request, segment);
  if ([...url.searchParams.keys()].length > 0 || /multipart/.test(request.headers.accept || '')) {
    return pass(request, response, async status => status === 404 && (await notFound(response, database, id), true));
  }
  const document = await database.pouch.get(id).catch(thrown => {
    if (thrown.status === 404) return undefined;
    throw thrown;
  });
  if (!document) return notFound(response, database, id);
  sendJson(response, 200, orderedDocument(document));
}

async function route(request, response) {
  const url = new URL(request.url, 'http://localhost');
  const { pathname } = url;
  authorize(request, pathname);
  if (pathname === '/_up') return sendJson(response, 200, { status: 'ok', seeds: {} });
  if (pathname === '/' && request.method === 'GET') return sendJson(response, 200, WELCOME);
  const [, segment, second, ...rest] = pathname.split('/');
  if (!segment || segment.startsWith('_')) return pass(request, response);
  if (!second) return onDatabase(request, response, segment);
  if (second === '_changes' && ['GET', 'POST'].includes(request.method)) {
    const text = await readBody(request);
    return changes(request, response, await openDatabase(request, segment), Object.fromEntries(url.searchParams), text);
  }
  if (second === '_bulk_get' && request.method === 'POST') {
    const text = await readBody(request);
    return bulkGet(response, await openDatabase(request, segment), text);
  }
  if (second === '_local' && rest.length === 1 && request.method === 'PUT') {
    const text = await readBody(request);
    return putLocal(response, await openDatabase(request, segment), `_local/${decodeURIComponent(rest[0])}`, text);
  }
  const startsInKey = url.searchParams.has('startkey_docid') || url.searchParams.has('start_key_doc_id');
  if (second === '_design' && rest[1] === '_view' && request.method === 'GET' && startsInKey) {
    return viewPage(response, inner, request, url);
  }
  if (!second.startsWith('_') && rest.length === 0) return onDocument(request, response, segment, decodeURIComponent(second), url);
  return pass(request, response);
}

const front = http.createServer((request, response) => route(request, response).catch(thrown => sendThrown(response, thrown)));
front.on('error', thrown => {
  console.error(thrown.message);
  process.exit(1);
});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
