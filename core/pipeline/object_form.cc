#include "core/pipeline/object_form.h"

namespace walrig {
namespace {

struct Magic {
  std::string_view bytes;
  size_t at;
  ObjectForm form;
};
using namespace std::string_view_literals;
constexpr Magic kMagics[] = {
    {"\x89WRGC\r\n\x1A"sv, 0, ObjectForm::kGcrypt},
    {"yckms"sv, 0, ObjectForm::kEnvelope},
    {"envelope-yc-kms"sv, 0, ObjectForm::kEnvelope},
    {"-----BEGIN PGP MESSAGE"sv, 0, ObjectForm::kOpenPgp},
    {"\x28\xB5\x2F\xFD"sv, 0, ObjectForm::kZstd},
    {"\x04\x22\x4D\x18"sv, 0, ObjectForm::kLz4},
    {"\xFD\x37zXZ\0"sv, 0, ObjectForm::kXz},
    {"\x1F\x8B\x08"sv, 0, ObjectForm::kGzip},
    {"\x89LZO\0\r\n\x1A\n"sv, 0, ObjectForm::kLzo},
    {"ustar"sv, 257, ObjectForm::kTar},
};

// A message begins with a session key packet (RFC 9580): for a public key (tag 1, version 3 or 6) or a passphrase (tag 3,
// versions 4 to 6). Its head is one byte, and one to three of length.
bool BeginsOpenPgp(ByteSpan head) {
  if (head.size() < 6 || (head[0] & 0x80) == 0) return false;
  const bool new_form = (head[0] & 0x40) != 0;
  const unsigned tag = new_form ? head[0] & 0x3Fu : (head[0] >> 2) & 0x0Fu;
  size_t length_bytes = 0;
  if (new_form) {
    length_bytes = head[1] < 192 ? 1 : head[1] < 224 ? 2 : 0;
  } else {
    length_bytes = (head[0] & 3) == 0 ? 1 : (head[0] & 3) == 1 ? 2 : 0;
  }
  if (length_bytes == 0) return false;
  const uint8_t version = head[1 + length_bytes];
  return (tag == 1 && (version == 3 || version == 6)) || (tag == 3 && version >= 4 && version <= 6);
}

}  // namespace

ObjectForm FormOfObject(ByteSpan head) {
  const std::string_view text = AsText(head);
  for (const Magic& magic : kMagics) {
    if (text.size() > magic.at && text.substr(magic.at, magic.bytes.size()) == magic.bytes) return magic.form;
  }
  return BeginsOpenPgp(head) ? ObjectForm::kOpenPgp : ObjectForm::kUnknown;
}

std::string_view FormName(ObjectForm form) {
  switch (form) {
    case ObjectForm::kUnknown: return "";
    case ObjectForm::kGcrypt: return "an object of cipher gcrypt";
    case ObjectForm::kOpenPgp: return "an OpenPGP message";
    case ObjectForm::kEnvelope: return "an envelope of a key service";
    case ObjectForm::kZstd: return "zstd data";
    case ObjectForm::kLz4: return "lz4 data";
    case ObjectForm::kXz: return "xz data";
    case ObjectForm::kGzip: return "gzip data";
    case ObjectForm::kLzo: return "lzo data";
    case ObjectForm::kTar: return "a tar file";
  }
  return "";
}

std::string_view CipherOfForm(ObjectForm form) {
  if (form == ObjectForm::kGcrypt) return "gcrypt";
  return form == ObjectForm::kOpenPgp ? "openpgp" : "";
}

bool IsPlainForm(ObjectForm form) { return form >= ObjectForm::kZstd; }

bool CipherHasForm(std::string_view cipher) { return cipher == "gcrypt" || cipher == "openpgp"; }

}  // namespace walrig
