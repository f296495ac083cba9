"""An S3 server for the tests: moto's, in a process of its own, which counts the requests, checks the checksums that come
with them, and fails on demand.

    with ObjectStore() as store:
        store.environment          # what a client needs to find it
        store.requests()           # [("GET", "/bucket/key", "query"), …] since the last clear()
        store.fail(rate=0.2, …)    # answers 500 and 503, waits, or hangs up, from a seed
"""

import base64
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.request

BUCKET = "lakes"


class ObjectStore:
    """`page` is how many names a listing tells at once."""

    def __init__(self, page=1000):
        self.process = subprocess.Popen([sys.executable, __file__, str(page)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}"
        self.environment = {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret",
                            "AWS_REGION": "us-east-1", "no_proxy": "127.0.0.1", "AWS_CONFIG_FILE": os.devnull,
                            "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/{BUCKET}", method="PUT"), timeout=10).read()
        self.clear()

    def client(self, **keys):
        """Somebody else's: what it reads is what is there."""
        import boto3

        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1",
                            aws_access_key_id=keys.get("key", "test"), aws_secret_access_key=keys.get("secret", "secret"))

    def files(self, prefix):
        """Path below the prefix → bytes, of all Parquet files."""
        client, files = self.client(), {}
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix + "/"):
            for entry in page.get("Contents", []):
                if entry["Key"].endswith(".parquet"):
                    body = client.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
                    files[entry["Key"].removeprefix(prefix + "/")] = body
        return files

    def keys(self, prefix):
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix + "/")
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _control(self, what, document=None):
        data = json.dumps(document).encode() if document is not None else None
        with urllib.request.urlopen(f"{self.url}/-/{what}", data, timeout=10) as reply:
            return json.load(reply)

    def requests(self):
        return [tuple(entry) for entry in self._control("requests")]

    def clear(self):
        self._control("clear")

    def fail(self, rate=0.0, kinds=("500", "503"), seed=1, wait=0.0):
        """Kinds: a status, "hang" (no answer for `wait` seconds), "lost" (done, but answered with 500), "cut" (half an answer)."""
        self._control("fail", {"rate": rate, "kinds": list(kinds), "seed": seed, "wait": wait})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Faults:
    """A WSGI application around moto's."""

    def __init__(self, application, page):
        self.application, self.page, self.log = application, page, []
        self.lock, self.plan, self.random = threading.Lock(), {"rate": 0}, random.Random(1)

    def control(self, what, environ):
        if what == "clear":
            self.log.clear()
        if what == "fail":
            self.plan = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            self.random = random.Random(self.plan["seed"])
        return self.log if what == "requests" else []

    @staticmethod
    def answer(start, status, body):
        start(f"{status} -", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def __call__(self, environ, start):
        path = environ["PATH_INFO"]
        if path.startswith("/-/"):
            with self.lock:
                return self.answer(start, 200, json.dumps(self.control(path[3:], environ)).encode())
        with self.lock:
            self.log.append((environ["REQUEST_METHOD"], path, environ["QUERY_STRING"]))
            fails = self.random.random() < self.plan["rate"]
            kind = self.random.choice(self.plan["kinds"]) if fails else None
        wrong = self.checksum_is_wrong(environ)
        if wrong:
            return self.answer(start, 400, b"<Error><Code>BadDigest</Code><Message>the checksum is wrong</Message></Error>")
        if kind == "hang":
            time.sleep(self.plan["wait"])
        elif kind in ("500", "503"):
            code = {"500": b"InternalError", "503": b"SlowDown"}[kind]
            return self.answer(start, kind, b"<Error><Code>" + code + b"</Code><Message>injected</Message></Error>")
        if self.page < 1000 and "list-type=2" in environ["QUERY_STRING"]:
            environ["QUERY_STRING"] += f"&max-keys={self.page}"
        if kind == "lost":
            b"".join(self.application(environ, lambda *_: None))
            return self.answer(start, 500, b"<Error><Code>InternalError</Code></Error>")
        if kind == "cut":
            told = []
            body = b"".join(self.application(environ, lambda *arguments: told.append(arguments)))
            start(*told[0][:2])
            return [body[:len(body) // 2]]  # fewer bytes than its header says
        return self.application(environ, start)

    @staticmethod
    def checksum_is_wrong(environ):
        """Of a PUT that brings one: moto stores what it is told. Nothing is put here without."""
        told = environ.get("HTTP_X_AMZ_CHECKSUM_SHA256")
        if environ["REQUEST_METHOD"] != "PUT" or told is None:
            return False
        import io

        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        digest = hashlib.sha256(body)
        return (told != base64.b64encode(digest.digest()).decode()
                or environ.get("HTTP_X_AMZ_CONTENT_SHA256") not in (digest.hexdigest(), None))


def serve(page):
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class KeepAlive(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *_):
            pass

    application = Faults(DomainDispatcherApplication(create_backend_app), page)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=KeepAlive)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
