"""Verifiers are what RFC 7677's own example says they are."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode

from ingestor.stack.scram import verifier

NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
EXCHANGE = (
    f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={NONCE}"
)


def test_the_example_of_rfc_7677_comes_out() -> None:
    """A server that holds only the verifier signs the example's exchange as the RFC prints it."""
    text = verifier("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    server_key = b64decode(text.rpartition(":")[2])
    signature = hmac.digest(server_key, EXCHANGE.encode(), "sha256")

    assert b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_a_verifier_has_postgresqls_form_and_its_own_salt() -> None:
    """PostgreSQL takes the text for a verifier, and equal passwords do not look equal."""
    first, second = verifier("same"), verifier("same")

    assert first.startswith("SCRAM-SHA-256$4096:")
    assert first != second
