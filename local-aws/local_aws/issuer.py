"""A token issuer for local use: OIDC discovery, a key set, and tokens for anyone who asks.

    GET /token?workspace_id=W&role=R&sub=S -> {"access_token": "..."}

A parameter that is left out is a claim that the token lacks. `ttl` is the lifetime in seconds; a negative one makes an expired
token. `aud` replaces the audience. Any other parameter becomes a claim of that name. The signing key exists only in memory and is
gone when the process ends.
"""

import argparse
import json
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "latchkey-local"
KEY_ID = "local-1"
# Claims that the issuer sets itself. `ttl` changes the times.
OWN_CLAIMS = {"iss", "exp", "iat", "nbf", "jti"}


class Issuer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "latchkey-local-issuer"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        match url.path:
            case "/.well-known/openid-configuration":
                self.answer(200, self.discovery())
            case "/.well-known/jwks.json":
                self.answer(200, {"keys": [self.server.public_jwk]})
            case "/token":
                try:
                    self.answer(200, {"access_token": self.token(dict(parse_qsl(url.query, keep_blank_values=True)))})
                except ValueError as error:
                    self.answer(400, {"error": str(error)})
            case _:
                self.answer(404, {"error": "there is /.well-known/openid-configuration, /.well-known/jwks.json and /token"})

    def discovery(self) -> dict:
        return {
            "issuer": self.server.issuer,
            "jwks_uri": f"{self.server.issuer}/.well-known/jwks.json",
            "token_endpoint": f"{self.server.issuer}/token",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
        }

    def token(self, parameters: dict[str, str]) -> str:
        if refused := OWN_CLAIMS & parameters.keys():
            raise ValueError(f"not yours to set: {', '.join(sorted(refused))}")
        lifetime = int(parameters.pop("ttl", "3600"))
        now = int(time.time())
        issued_at = min(now, now + lifetime)
        claims = {"iss": self.server.issuer, "aud": AUDIENCE, "jti": str(uuid.uuid4()), "iat": issued_at, "exp": now + lifetime}
        return jwt.encode(claims | parameters, self.server.key, algorithm="RS256", headers={"kid": KEY_ID})

    def answer(self, status: int, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, message: str, *arguments) -> None:
        print(message % arguments, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port

    server = ThreadingHTTPServer(("127.0.0.1", port), Issuer)
    server.daemon_threads = True
    server.issuer = f"http://127.0.0.1:{port}"
    server.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public_jwk = jwt.algorithms.RSAAlgorithm.to_jwk(server.key.public_key(), as_dict=True)
    server.public_jwk = public_jwk | {"kid": KEY_ID, "alg": "RS256", "use": "sig", "key_ops": ["verify"]}
    server.serve_forever()


if __name__ == "__main__":
    main()
