"""Loads the cases of a CouchDB database into an index: the script that one would write without pillowtop.

    COUCH_URL=http://localhost:5984 ELASTIC_URL=http://localhost:9200 python3 reindex.py DATABASE INDEX

`cargo xtask bench reindex` measures it beside `fast-reindex`. It filters and transforms documents as the example's pillow `case`
does. It has no versions, no dead letters and no checkpoint: it stops at the first document that is refused.
"""

import json
import os
import sys

import requests
from opensearchpy import OpenSearch
from opensearchpy.helpers import streaming_bulk


def read_changes(url, database):
    """Yields the rows of the changes feed, with their documents."""
    response = requests.get(f"{url}/{database}/_changes", params={"include_docs": "true"}, stream=True, timeout=120)
    response.raise_for_status()
    for line in response.iter_lines(chunk_size=65536):
        if line.startswith(b'{"seq"'):
            yield json.loads(line.rstrip(b","))


def transform(case):
    """Returns what is indexed for a case."""
    if not case.get("owner_id"):
        case["owner_id"] = case.get("user_id")
    case["owner_type"] = "user" if case["owner_id"] else None
    case.setdefault("backend_id", "couch")
    return case


def read_actions(rows, index):
    """Yields what is sent for each row that the filter accepts."""
    for row in rows:
        document = row.get("doc") or {}
        if row.get("deleted") or document.get("doc_type") != "CommCareCase":
            continue
        if document.get("domain") == "demo" or document.get("type") is None:
            continue
        source = transform({key: value for key, value in document.items() if key not in ("_id", "_attachments")})
        source["rev"] = source.pop("_rev")
        yield {"_op_type": "index", "_index": index, "_id": document["_id"], "_source": source}


def main():
    database, index = sys.argv[1:]
    client = OpenSearch(os.environ["ELASTIC_URL"], timeout=120)
    rows = read_changes(os.environ["COUCH_URL"], database)
    indexed = sum(1 for _ in streaming_bulk(client, read_actions(rows, index), chunk_size=1000))
    print(f"indexed {indexed} documents")


if __name__ == "__main__":
    main()
