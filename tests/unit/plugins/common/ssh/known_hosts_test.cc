#include "plugins/common/ssh/known_hosts.h"

#include <gtest/gtest.h>

#include "plugins/common/ssh/base64.h"

namespace walrig::ssh {
namespace {

std::string Blob(const std::string& type, const std::string& key) {
  std::string blob{'\0', '\0', '\0', static_cast<char>(type.size())};
  return blob + type + key;
}
const std::string kGood = Blob("ssh-ed25519", "good");
const std::string kOther = Blob("ssh-ed25519", "other");
std::string Line(const std::string& names, const std::string& blob) {
  return names + " " + TypeOfBlob(blob) + " " + EncodeBase64(blob) + " a comment\n";
}
HostVerdict Verdict(const std::string& text, const std::string& host, uint16_t port, const std::string& blob,
                    std::string* where = nullptr) {
  KnownHosts known;
  known.Add(text, "file");
  KnownHosts::Entry entry;
  const HostVerdict verdict = known.Check(host, port, blob, &entry);
  if (where != nullptr) *where = entry.where;
  return verdict;
}

TEST(KnownHosts, KnowsAHostByNameInAnyCase) {
  EXPECT_EQ(Verdict(Line("Db.example.com", kGood), "dB.Example.com", 22, kGood), HostVerdict::kKnown);
}

TEST(KnownHosts, TakesAnotherKeyOfTheSameTypeForAChange) {
  std::string where;
  EXPECT_EQ(Verdict("# first\n" + Line("db", kGood), "db", 22, kOther, &where), HostVerdict::kChanged);
  EXPECT_EQ(where, "file:2");
}

TEST(KnownHosts, TakesAKeyOfAnotherTypeForUnknown) {
  EXPECT_EQ(Verdict(Line("db", Blob("ecdsa-sha2-nistp256", "x")), "db", 22, kGood), HostVerdict::kUnknown);
}

TEST(KnownHosts, TellsPortsApart) {
  const std::string text = Line("[db]:2222", kGood);
  EXPECT_EQ(Verdict(text, "db", 2222, kGood), HostVerdict::kKnown);
  EXPECT_EQ(Verdict(text, "db", 22, kGood), HostVerdict::kUnknown);
  EXPECT_EQ(Verdict(Line("db", kGood), "db", 2222, kGood), HostVerdict::kUnknown);
}

// HMAC-SHA1 of the name with the salt 00 to 13, computed by another implementation.
TEST(KnownHosts, ReadsHashedNames) {
  const std::string hashed = "|1|AAECAwQFBgcICQoLDA0ODxAREhM=|5cgNeu1GkzQnF+TOvboia8+Tkxo=";
  const std::string broken = "|1|AAEC|CkG2";
  EXPECT_EQ(Verdict(Line(broken, kGood), "db.example.com", 22, kGood), HostVerdict::kUnknown);
  EXPECT_EQ(Verdict(Line(hashed, kGood), "other.example.com", 22, kGood), HostVerdict::kUnknown);
  EXPECT_EQ(Verdict(Line(hashed, kGood), "db.example.com", 22, kGood), HostVerdict::kKnown);
}

TEST(KnownHosts, MatchesPatternsAndTheirNegation) {
  const std::string text = Line("*.example.com,!bad.example.com,10.0.0.?", kGood);
  EXPECT_EQ(Verdict(text, "db.example.com", 22, kGood), HostVerdict::kKnown);
  EXPECT_EQ(Verdict(text, "10.0.0.7", 22, kGood), HostVerdict::kKnown);
  EXPECT_EQ(Verdict(text, "10.0.0.77", 22, kGood), HostVerdict::kUnknown);
  EXPECT_EQ(Verdict(text, "bad.example.com", 22, kGood), HostVerdict::kUnknown);
}

TEST(KnownHosts, RefusesARevokedKeyWhateverElseIsSaid) {
  EXPECT_EQ(Verdict(Line("db", kGood) + "@revoked " + Line("*", kGood), "db", 22, kGood), HostVerdict::kRevoked);
  EXPECT_EQ(Verdict(Line("db", kGood) + "@revoked " + Line("*", kOther), "db", 22, kGood), HostVerdict::kKnown);
}

TEST(KnownHosts, GoesOnBehindLinesThatMakeNoSense) {
  const std::string text = "db\ndb ssh-ed25519\ndb ssh-ed25519 !!!!\ndb ssh-rsa " + EncodeBase64(kGood) +
                           "\n@cert-authority " + Line("db", kOther) + std::string("\0\n", 2) + Line("db", kGood);
  EXPECT_EQ(Verdict(text, "db", 22, kGood), HostVerdict::kKnown);
  EXPECT_EQ(Verdict(text, "db", 22, kOther), HostVerdict::kChanged);
}

TEST(KnownHosts, ListsTheTypesThatAreKnown) {
  KnownHosts known;
  known.Add(Line("db", Blob("ssh-rsa", "x")) + Line("db", kGood) + Line("db", kOther) + Line("else", Blob("ssh-dss", "x")),
            "file");
  EXPECT_EQ(known.TypesOf("db", 22), (std::vector<std::string>{"ssh-rsa", "ssh-ed25519"}));
}

TEST(KnownHosts, ANamedFileMustBeThereAUsualOneMayBeMissing) {
  KnownHosts known;
  EXPECT_TRUE(known.AddFile("/nonexistent/known_hosts", false).ok());
  EXPECT_EQ(known.AddFile("/nonexistent/known_hosts", true).code(), Code::kConfig);
}

}  // namespace
}  // namespace walrig::ssh
