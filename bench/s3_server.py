"""versitygw, an S3 server in Go over a folder, for measurements: moto, which the tests use, takes ten times as long for a request
as the program under measurement. `scripts/setup bench-s3` installs it; Go builds it for some minutes, so nothing else does."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

from measure import ROOT, WORK

BUCKET = "lakes"
PROGRAM = ROOT / ".deps/versitygw/versitygw"


class Versitygw:
    name = "versitygw"

    @staticmethod
    def is_there():
        return PROGRAM.exists()

    def __init__(self):
        self.folder = WORK / "versitygw"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % free.getsockname()[1]
        self.url = f"http://{address}"
        self.environment = {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret",
                            "AWS_REGION": "us-east-1", "no_proxy": "127.0.0.1", "AWS_CONFIG_FILE": os.devnull,
                            "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        self.process = subprocess.Popen([PROGRAM, "--port", address, "--keep-alive", "--quiet", "posix", self.folder],
                                        env={**os.environ, "ROOT_ACCESS_KEY": "test", "ROOT_SECRET_KEY": "secret"},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.client().create_bucket(Bucket=BUCKET)
                return
            except Exception:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def client(self):
        import boto3

        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="test",
                            aws_secret_access_key="secret")

    def cpu(self):
        """Seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
