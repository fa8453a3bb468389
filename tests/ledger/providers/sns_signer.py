"""SNS's side of its signature: a certificate of the test's own."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ledger.providers.sns_signature import read_message, string_to_sign

TOPIC = "arn:aws:sns:us-east-1:123456789012:billing"
CERTIFICATE_PATH = "/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem"
CERTIFICATE_URL = f"https://sns.us-east-1.amazonaws.com{CERTIFICATE_PATH}"
SUBSCRIBE_URL = (
    f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb687f"
)


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, *, start: datetime, end: datetime) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


class SnsSigner:
    def __init__(self, *, now: datetime) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.pem = certificate(self.private, start=now - timedelta(days=30), end=now + timedelta(days=300))

    def sign(self, *, now: datetime, **changes: Any) -> dict[str, Any]:
        """Return a notification as SNS posts it. A field that is None is left out."""
        body = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Subject": None,
            "Message": "Hello",
            "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE_URL,
            "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
            **changes,
        }
        body = {name: value for name, value in body.items() if value is not None}
        algorithm = hashes.SHA1() if body["SignatureVersion"] == "1" else hashes.SHA256()
        signed = string_to_sign(read_message(body))
        body["Signature"] = base64.b64encode(self.private.sign(signed, padding.PKCS1v15(), algorithm)).decode()
        return body

    def subscription(self, *, now: datetime, **changes: Any) -> dict[str, Any]:
        said = "You have chosen to subscribe to the topic. To confirm the subscription, visit the SubscribeURL."
        more = {"Type": "SubscriptionConfirmation", "Token": "2336412f37fb687f", "SubscribeURL": SUBSCRIBE_URL}
        return self.sign(now=now, **{**more, "Message": said, **changes})


def raw(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
