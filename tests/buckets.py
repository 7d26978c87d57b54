"""An S3 server on this machine: moto's, in a process of its own, with one valid key."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from servers import Server

_ALL = """\
{"Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"""
"""Policy of the key; moto checks it after the first four calls."""

Bucket = Any
"""a client of boto3, which has no types"""

REGION = "us-east-1"


@contextmanager
def s3_server() -> Iterator[tuple[Server, dict[str, str]]]:
    """Start an S3 server with an empty bucket ``lab``; yield it and its key as variables."""
    pytest.importorskip("dvc_s3")
    pytest.importorskip("moto")
    boto3 = pytest.importorskip("boto3")
    program = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "PORT")
    server = Server(*program, env={"INITIAL_NO_AUTH_ACTION_COUNT": "4"})
    server.start()
    try:
        where = {"endpoint_url": address(server), "region_name": REGION}
        nobody = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        with closing(boto3.client("iam", **where, **nobody)) as users:
            users.create_user(UserName="alice")
            key = users.create_access_key(UserName="alice")["AccessKey"]
            users.put_user_policy(UserName="alice", PolicyName="all", PolicyDocument=_ALL)
        with closing(boto3.client("s3", **where, **nobody)) as buckets:
            buckets.create_bucket(Bucket="lab")
        key = {"ID": key["AccessKeyId"], "SECRET": key["SecretAccessKey"]}
        yield server, {"AWS_ACCESS_KEY_ID": key["ID"], "AWS_SECRET_ACCESS_KEY": key["SECRET"]}
    finally:
        server.kill()


def address(server: Server) -> str:
    """Return the address of the server."""
    return f"http://127.0.0.1:{server.port}"
