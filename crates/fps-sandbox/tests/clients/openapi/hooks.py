"""Signs what schemathesis makes up, and puts ids in its path that the sandbox knows, so that its requests
come further than the door. Reads SANDBOX_URL, SANDBOX_CA, CONTROL_URL, PUBLIC_KEY_ID and
PRIVATE_KEY_FILE."""

import base64
import datetime
import hashlib
import itertools
import os
import urllib.parse

import requests
import schemathesis
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

ALGORITHM = "AMZN-PAY-RSASSA-PSS-V2"
SIGNED = ["x-amz-pay-date", "x-amz-pay-host", "x-amz-pay-idempotency-key", "x-amz-pay-region"]

with open(os.environ["PRIVATE_KEY_FILE"], "rb") as file:
    KEY = serialization.load_pem_private_key(file.read(), password=None)
HOST = urllib.parse.urlsplit(os.environ["SANDBOX_URL"]).netloc


def control(path, body):
    url = os.environ["CONTROL_URL"] + path
    answer = requests.post(url, json=body, verify=os.environ["SANDBOX_CA"], timeout=30)
    answer.raise_for_status()
    return answer.json()


def charge(state):
    amount = {"amount": "100000.00", "currencyCode": "USD"}
    return control("/payments", {"service": "amazon-pay", "amount": amount, "state": state})["id"]


CHARGES = itertools.cycle([charge(state) for state in ["completed", "reserved", "pending", "cancelled"] * 8])
COUNTER = itertools.count()


def known():
    """Every other time."""
    return next(COUNTER) % 2 == 0


class Signer(requests.auth.AuthBase):
    """After the request is prepared: what is signed is what is sent."""

    def __call__(self, request):
        now = datetime.datetime.now(datetime.timezone.utc)
        request.headers["x-amz-pay-date"] = now.strftime("%Y%m%dT%H%M%SZ")
        request.headers["x-amz-pay-host"] = HOST
        request.headers["x-amz-pay-region"] = "na"
        if request.method == "POST" and known():
            request.headers["x-amz-pay-idempotency-key"] = f"schemathesis{next(COUNTER)}"
        names = [name for name in SIGNED if name in request.headers]
        parts = urllib.parse.urlsplit(request.url)
        query = sorted(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        quoted = ["=".join(urllib.parse.quote(text, safe="-_.~") for text in pair) for pair in query]
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        value = lambda name: " ".join(text(request.headers[name]).split())
        lines = [request.method, parts.path or "/", "&".join(quoted)]
        lines += [f"{name}:{value(name)}" for name in names]
        lines += ["", ";".join(names), hashlib.sha256(body).hexdigest()]
        canonical = "\n".join(lines).encode()
        to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical).hexdigest()}".encode()
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        signature = base64.b64encode(KEY.sign(to_sign, pss, hashes.SHA256())).decode()
        request.headers["authorization"] = (
            f"{ALGORITHM} PublicKeyId={os.environ['PUBLIC_KEY_ID']}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        return request


def text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else value


schemathesis.auth.set_from_requests(Signer())


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if path_parameters and "chargeId" in path_parameters and known():
        path_parameters["chargeId"] = next(CHARGES)
    return path_parameters


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict) and "chargeId" in body and known():
        body["chargeId"] = next(CHARGES)
        if known():
            body["refundAmount"] = {"amount": f"{next(COUNTER) % 90 + 1}.00", "currencyCode": "USD"}
    return body
