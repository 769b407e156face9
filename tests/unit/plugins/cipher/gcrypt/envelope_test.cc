#include "plugins/cipher/gcrypt/envelope.h"

#include <algorithm>
#include <cstring>

#include "tests/unit/plugins/cipher/gcrypt/machines.h"

namespace walrig::gcrypt::test {
namespace {

constexpr std::string_view kPassphrase = "correct horse";

// A header as a process with salt number `number` writes it, put together by docs/formats/gcrypt.md, with the cheapest
// derivation that is allowed.
struct Written {
  Header header;
  std::vector<uint8_t> bytes;
  SecretBytes payload_key;
};

Result<Written> Write(uint16_t number) {
  Written written;
  RandomBytes(written.header.salt);
  const ByteSpan salt = written.header.salt;
  WALRIG_ASSIGN(SecretBytes object_key, SecretBytes::New(kKeyBytes));
  RandomBytes(object_key.span());
  Slot slot;
  slot.kind = SlotKind::kPassphrase;
  slot.kdf.cost = 1;
  slot.kdf.memory_kib = 8;
  std::memcpy(slot.kdf.salt.data(), &number, sizeof number);
  WALRIG_ASSIGN(const SecretBytes derived, DeriveKey(AsBytes(kPassphrase), slot.kdf));
  WALRIG_ASSIGN(slot.id, IdOfSymmetric(derived.bytes()));
  WALRIG_ASSIGN(const SecretBytes wrap, HkdfSha256(derived.bytes(), salt, {AsBytes("walrig-gcrypt v1 wrap")}));
  WALRIG_ASSIGN(Aead aead, Aead::New(Algorithm::kAes256Gcm, wrap.bytes()));
  WALRIG_TRY(aead.Seal(Nonce{}, object_key.bytes(), slot.wrapped));
  written.header.slots.push_back(slot);
  written.bytes = FormatHeader(written.header);
  WALRIG_ASSIGN(const SecretBytes mac_key, HkdfSha256(object_key.bytes(), salt, {AsBytes("walrig-gcrypt v1 header")}));
  WALRIG_ASSIGN(written.payload_key,
                HkdfSha256(object_key.bytes(), salt, {AsBytes("walrig-gcrypt v1 payload"), written.bytes}));
  Digest mac{};
  WALRIG_TRY(HmacSha256(mac_key.bytes(), {written.bytes}, mac));
  written.bytes.insert(written.bytes.end(), mac.begin(), mac.end());
  return written;
}

TEST(EnvelopeTest, OpensObjectsOfMoreSaltsOfAPassphraseThanItKeeps) {
  const std::unique_ptr<Keys> keys = KeysOf("", kPassphrase);
  std::vector<Written> objects;
  for (uint16_t number = 0; number < 3 * Keys::kDerivedMax; ++number) {
    ASSERT_OK_AND_ASSIGN(objects.emplace_back(), Write(number));
  }
  for (int round = 0; round < 2; ++round) {  // the second finds none of those that it needs
    for (size_t i = 0; i < objects.size(); ++i) {
      ASSERT_OK_AND_ASSIGN(const SecretBytes key, keys->Open(objects[i].header, objects[i].bytes));
      ASSERT_TRUE(SameSecret(key.bytes(), objects[i].payload_key.bytes())) << i;
    }
  }
}

TEST(EnvelopeTest, AWrongPassphraseStaysAnErrorHoweverManySaltsThereWere) {
  const std::unique_ptr<Keys> keys = KeysOf("", "incorrect horse");
  for (uint16_t number = 0; number < Keys::kDerivedMax + 2; ++number) {
    ASSERT_OK_AND_ASSIGN(const Written object, Write(number));
    EXPECT_THAT(keys->Open(object.header, object.bytes), ::walrig::test::HasCode(Code::kPermission));
  }
}

}  // namespace
}  // namespace walrig::gcrypt::test
