"""AWS over TLS on loopback: terminates TLS with a certificate made for this run, and forwards to the emulator.

    .venv/bin/python benches/cold_start/loopback_tls.py --emulator http://127.0.0.1:E --authority FOLDER

Writes FOLDER/roots.pem (as many public roots as a Lambda environment has, and this run's authority) and prints the port of each
service as one line of JSON. Each service has a port of its own, as on AWS it has a host, and so a connection, of its own.

The benchmark measures the functions, not the emulator, which takes 2 to 20 ms where AWS's own fleets are faster. So the proxy
caches the emulator's answers to reads for five minutes. A cached answer serves the same request in the same session; only the
role session name may differ. A write to the table drops the table's cached answers. No answer is invented.
"""

import argparse
import asyncio
import ipaddress
import json
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from local_aws.fault_proxy import LARGEST_HEAD, Message, Upstream, read_message
from local_aws.layout import REPOSITORY

HOST = "127.0.0.1"
SERVICES = ("dynamodb", "sts", "kms", "eventbridge")
REMEMBERED_SECONDS = 300  # sessions last for 900
READS = {"GetItem", "BatchGetItem", "Query", "AssumeRole", "Decrypt", "DescribeKey", "GetPublicKey"}


class Service:
    """One service's listener."""

    def __init__(self, name: str, emulator: str) -> None:
        self.name = name
        self.host, self.port = emulator.removeprefix("http://").split(":")
        self.remembered: dict[tuple, tuple[float, bytes]] = {}
        self.connections: set[asyncio.Task] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = Upstream(self.host, int(self.port))
        task = asyncio.current_task()
        self.connections.add(task)
        try:
            while (request := await read_message(reader)) is not None:
                writer.write(await self.answer(request, upstream))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller is gone and needs no answer
        finally:
            self.connections.discard(task)
            upstream.close()
            writer.close()

    async def answer(self, request: Message, upstream: Upstream) -> bytes:
        action, question = question_of(request)
        remembered_at, answer = self.remembered.get(question, (-REMEMBERED_SECONDS, b""))
        if action in READS and time.monotonic() - remembered_at < REMEMBERED_SECONDS:
            return answer
        message = await upstream.ask(request)
        answer = message.head + message.body
        if action not in READS:
            self.remembered.clear()
        elif message.first[1] == "200":
            self.remembered[question] = time.monotonic(), answer
        return answer


def question_of(request: Message) -> tuple[str, tuple]:
    """The action that a request asks for, and the key under which its answer is cached."""
    session = request.headers.get("authorization", "").partition("Credential=")[2].partition(",")[0]
    if target := request.headers.get("x-amz-target"):
        return target.rpartition(".")[2], (session, target, request.body)
    form = dict(parse_qsl(request.body.decode()))
    form.pop("RoleSessionName", None)
    return form.get("Action", ""), (session, *sorted(form.items()))


def make_authority(folder: Path) -> ssl.SSLContext:
    """Makes an authority, and a certificate from it for this address. Only a process that gets roots.pem trusts the authority.
    Its key is never stored."""
    now, name = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cold start")])
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def certificate(subject: x509.Name, public_key, extensions: list[x509.ExtensionType]) -> bytes:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM)

    authority_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    authority = certificate(
        name,
        authority_key.public_key(),
        [x509.BasicConstraints(ca=True, path_length=0), x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())],
    )
    leaf = certificate(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]),
        key.public_key(),
        [
            x509.BasicConstraints(ca=False, path_length=None),
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            authority_identifier,
        ],
    )
    (folder / "roots.pem").write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority)
    server = folder / "server.pem"
    server.touch(mode=0o600)
    server.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + leaf)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    server.unlink()
    return context


@contextmanager
def aws_over_tls(emulator: str):
    """Runs the proxy. Yields the variables that tell a function where AWS is and which roots to trust. The caller may change the
    file that they name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", __spec__.name, "--emulator", emulator, "--authority", folder]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        try:
            ports = json.loads(process.stdout.readline())
            endpoints = {f"AWS_ENDPOINT_URL_{name.upper()}": f"https://{HOST}:{ports[name]}" for name in SERVICES}
            roots = str(Path(folder) / "roots.pem")
            yield endpoints | {"SSL_CERT_FILE": roots, "AWS_CA_BUNDLE": roots}
        finally:
            process.terminate()
            process.wait()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emulator", required=True)
    parser.add_argument("--authority", type=Path, required=True)
    arguments = parser.parse_args()
    context = make_authority(arguments.authority)
    ports, servers = {}, []
    for name in SERVICES:
        service = Service(name, arguments.emulator)
        servers.append(await asyncio.start_server(service.serve, HOST, 0, ssl=context, limit=LARGEST_HEAD))
        ports[name] = servers[-1].sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
