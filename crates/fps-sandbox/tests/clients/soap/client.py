"""zeep, which nobody here wrote, reads the WSDL that the sandbox serves and performs Settle, Refund and
CancelToken, signed with the merchant's certificate by libxmlsec. Reads SANDBOX_URL, SANDBOX_CA, CONTROL_URL,
PRIVATE_KEY_FILE and CERTIFICATE_FILE."""

import datetime
import os

import requests
import zeep
from lxml import etree
from zeep.exceptions import Fault
from zeep.transports import Transport
from zeep.wsse import utils
from zeep.wsse.signature import BinarySignature

URL = os.environ["SANDBOX_URL"]
SESSION = requests.Session()
# What the machine trusts is of no matter here.
SESSION.trust_env = False
SESSION.verify = os.environ["SANDBOX_CA"]


class Signed(BinarySignature):
    """The body and a timestamp, as FPS wants them; its answers are not signed."""

    def apply(self, envelope, headers):
        stamp = utils.WSU.Timestamp()
        now = datetime.datetime.now(datetime.timezone.utc)
        later = now + datetime.timedelta(minutes=5)
        written = [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in (now, later)]
        stamp.append(utils.WSU.Created(written[0]))
        stamp.append(utils.WSU.Expires(written[1]))
        utils.get_security_header(envelope).append(stamp)
        return super().apply(envelope, headers)

    def verify(self, envelope):
        return envelope


class Tampered(Signed):
    """Somebody changes the body after it was signed."""

    def apply(self, envelope, headers):
        envelope, headers = super().apply(envelope, headers)
        text = etree.tostring(envelope).replace(b">1.00<", b">9.00<")
        return etree.fromstring(text), headers


def service(signature):
    transport = Transport(session=SESSION)
    return zeep.Client(f"{URL}/?wsdl", transport=transport, wsse=signature).service


def control(path, body):
    answer = SESSION.post(os.environ["CONTROL_URL"] + path, json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


def payment(**more):
    amount = {"amount": "100.00", "currencyCode": "USD"}
    return control("/payments", {"service": "flexible-payments", "amount": amount, **more})["id"]


def dollars(text):
    return {"CurrencyCode": "USD", "Value": text}


def refused(call, code):
    try:
        call()
    except Fault as fault:
        assert code in str(fault.code), (fault.code, fault.message)
        return
    raise AssertionError(f"not refused with {code}")


def main():
    key, certificate = os.environ["PRIVATE_KEY_FILE"], os.environ["CERTIFICATE_FILE"]
    fps = service(Signed(key, certificate))

    paid = payment()
    answer = fps.Refund(TransactionId=paid, RefundAmount=dollars("1.00"), CallerReference="soap-1")
    refund = answer.RefundResult.TransactionId
    assert refund != paid and answer.RefundResult.TransactionStatus == "Pending", answer
    print("ok   Refund")
    again = fps.Refund(TransactionId=paid, RefundAmount=dollars("1.00"), CallerReference="soap-1")
    assert again.RefundResult.TransactionId == refund, again
    print("ok   the same Refund again is the same refund")

    reserved = payment(operation="reserve", state="reserved")
    settled = fps.Settle(ReserveTransactionId=reserved, TransactionAmount=dollars("60.00"))
    assert settled.SettleResult.TransactionId == reserved, settled
    refused(lambda: fps.Settle(ReserveTransactionId=reserved), "InvalidTransactionState")
    print("ok   Settle, and once only")

    token = control("/tokens", {"method": "card"})["id"]
    cancelled = fps.CancelToken(TokenId=token, ReasonText="moved")
    # zeep unwraps an answer that is nothing but the id of the request.
    assert cancelled.endswith(":0"), cancelled
    refused(lambda: fps.CancelToken(TokenId=token), "TokenNotActive")
    print("ok   CancelToken, and once only")

    evil = service(Tampered(key, certificate))
    call = lambda: evil.Refund(TransactionId=paid, RefundAmount=dollars("1.00"), CallerReference="soap-2")
    refused(call, "SignatureDoesNotMatch")
    refused(lambda: service(None).CancelToken(TokenId=token), "AuthFailure")
    print("ok   a body that was changed, and one that was not signed, are refused")


main()
