"""The format of cipher gcrypt, written a second time from docs/formats/gcrypt.md on Python's cryptography.

It shares no code and no library with walrig: OpenSSL is below it. seal() takes all that is random as arguments, so that
test vectors can be made.
"""
import base64
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"\x89WRGC\r\n\x1a"
ALGORITHMS = {1: AESGCM, 2: ChaCha20Poly1305}
SYMMETRIC, PASSPHRASE, X25519 = 1, 2, 3


class Damaged(Exception):
    pass


def hkdf(ikm, salt, info):
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt or None, info=info).derive(ikm)


def mac(key, text):
    h = hmac.HMAC(key, hashes.SHA256())
    h.update(text)
    return h.finalize()


def symmetric_id(key):
    return hkdf(key, b"", b"walrig-gcrypt v1 key id")[:8]


def recipient_id(public):
    return hkdf(public, b"", b"walrig-gcrypt v1 recipient id")[:8]


def public_of(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def shared_of(secret, public):
    return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))


def nonce_of(number, last):
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def scrypt(passphrase, salt, log_n, r, p):
    return Scrypt(salt=salt, length=32, n=1 << log_n, r=r, p=p).derive(passphrase)


def slot(kind, key_id, middle, wrapped):
    body = key_id + middle + wrapped
    return struct.pack("<BBH", kind, 0, 4 + len(body)) + body


def make_slot(recipient, salt, object_key):
    """recipient: ("symmetric", key) | ("x25519", public, ephemeral secret) | ("scrypt", passphrase, salt, log_n)"""
    wrap = lambda key: AESGCM(key).encrypt(bytes(12), object_key, None)
    if recipient[0] == "symmetric":
        return slot(SYMMETRIC, symmetric_id(recipient[1]), b"", wrap(hkdf(recipient[1], salt, b"walrig-gcrypt v1 wrap")))
    if recipient[0] == "x25519":
        _, public, ephemeral = recipient
        point = public_of(ephemeral)
        key = hkdf(shared_of(ephemeral, public), salt, b"walrig-gcrypt v1 x25519" + point + public)
        return slot(X25519, recipient_id(public), point, wrap(key))
    _, passphrase, kdf_salt, log_n = recipient
    key = scrypt(passphrase, kdf_salt, log_n, 8, 1)
    middle = struct.pack("<BBHIII", 2, 1, 8, log_n, 0, 0) + kdf_salt
    return slot(PASSPHRASE, symmetric_id(key), middle, wrap(hkdf(key, salt, b"walrig-gcrypt v1 wrap")))


def seal(plain, recipients, algorithm=1, chunk_log=16, salt=None, object_key=None):
    salt, object_key = salt or os.urandom(32), object_key or os.urandom(32)
    slots = b"".join(make_slot(r, salt, object_key) for r in recipients)
    size = 48 + len(slots) + 32
    header = MAGIC + struct.pack("<BBBBI", 1, algorithm, chunk_log, len(recipients), size) + salt + slots
    out = [header, mac(hkdf(object_key, salt, b"walrig-gcrypt v1 header"), header)]
    aead = ALGORITHMS[algorithm](hkdf(object_key, salt, b"walrig-gcrypt v1 payload" + header))
    chunk = 1 << chunk_log
    whole = len(plain) // chunk
    for number in range(whole):
        out.append(aead.encrypt(nonce_of(number, False), plain[number * chunk:(number + 1) * chunk], None))
    out.append(aead.encrypt(nonce_of(whole, True), plain[whole * chunk:], None))
    return b"".join(out)


def parse(sealed):
    if sealed[:8] != MAGIC or len(sealed) < 48:
        raise Damaged("not of this format")
    version, algorithm, chunk_log, count, size = struct.unpack_from("<BBBBI", sealed, 8)
    if version != 1 or size > len(sealed):
        raise Damaged("version or size")
    slots, at = [], 48
    for _ in range(count):
        kind, _, length = struct.unpack_from("<BBH", sealed, at)
        slots.append((kind, sealed[at + 4:at + 12], sealed[at + 12:at + length - 48], sealed[at + length - 48:at + length]))
        at += length
    if at + 32 != size:
        raise Damaged("slots")
    return algorithm, chunk_log, sealed[16:48], slots, sealed[:at], sealed[at:size], sealed[size:]


def object_key_of(slots, salt, symmetric, secret, passphrase):
    for kind, key_id, middle, wrapped in slots:
        key = None
        if kind == SYMMETRIC and symmetric and key_id == symmetric_id(symmetric):
            key = hkdf(symmetric, salt, b"walrig-gcrypt v1 wrap")
        elif kind == X25519 and secret and key_id == recipient_id(public_of(secret)):
            key = hkdf(shared_of(secret, middle), salt, b"walrig-gcrypt v1 x25519" + middle + public_of(secret))
        elif kind == PASSPHRASE and passphrase:
            kdf, lanes, r, cost, _, _ = struct.unpack_from("<BBHIII", middle)
            if kdf == 2:
                derived = scrypt(passphrase, middle[16:32], cost, r, lanes)
                key = hkdf(derived, salt, b"walrig-gcrypt v1 wrap") if symmetric_id(derived) == key_id else None
        if key:
            return AESGCM(key).decrypt(bytes(12), wrapped, None)
    raise KeyError("no key for " + ", ".join(s[1].hex() for s in slots))


def open_(sealed, symmetric=None, secret=None, passphrase=None):
    algorithm, chunk_log, salt, slots, header, tag, rest = parse(sealed)
    try:
        object_key = object_key_of(slots, salt, symmetric, secret, passphrase)
        if mac(hkdf(object_key, salt, b"walrig-gcrypt v1 header"), header) != tag:
            raise Damaged("header")
        aead = ALGORITHMS[algorithm](hkdf(object_key, salt, b"walrig-gcrypt v1 payload" + header))
        step, out, number = (1 << chunk_log) + 16, [], 0
        while len(rest) >= step:
            out.append(aead.decrypt(nonce_of(number, False), rest[:step], None))
            rest, number = rest[step:], number + 1
        out.append(aead.decrypt(nonce_of(number, True), rest, None))
        return b"".join(out)
    except InvalidTag as e:
        raise Damaged("tag") from e


def ring(kind, key_id, material, write=True):
    text = f"walrig-key-ring 1\nkey {kind} {key_id.hex()} - {base64.b64encode(material).decode()}\n"
    return text + (f"write {key_id.hex()}\n" if write else "")
