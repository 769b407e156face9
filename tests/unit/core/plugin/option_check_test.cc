#include "core/plugin/option_check.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <tuple>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace walrig {
namespace {

using test::HasCode;
using test::IsOkAndHolds;
using test::MessageHas;
using ::testing::AllOf;
using ::testing::Not;

OptionSpec Spec(std::string name, OptionType type) {
  OptionSpec spec;
  spec.name = std::move(name);
  spec.type = type;
  return spec;
}

std::string ValueOf(const CheckedOptions& checked, std::string_view name) {
  for (const auto& [key, value] : checked.values) {
    if (key == name) return value;
  }
  return "(none)";
}

SettingLookup From(std::map<std::string, std::string> settings) {
  return [settings = std::move(settings)](std::string_view name) -> std::optional<std::string> {
    const auto found = settings.find(std::string(name));
    if (found == settings.end()) return std::nullopt;
    return found->second;
  };
}

TEST(OptionCheckTest, MakesValuesCanonical) {
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kBool), "Yes"), IsOkAndHolds("true"));
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kBool), "f"), IsOkAndHolds("false"));
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kSize), "8MiB"), IsOkAndHolds("8388608"));
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kTime), "1m30s"), IsOkAndHolds("90000000000"));
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kInt), "-7"), IsOkAndHolds("-7"));
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kFloat), "2.50"), IsOkAndHolds("2.5"));
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kList), " a, b ,,c"), IsOkAndHolds("a,b,c"));
  OptionSpec spec = Spec("o", OptionType::kEnum);
  spec.choices = {"Always", "never"};
  EXPECT_THAT(CanonicalOption(spec, "ALWAYS"), IsOkAndHolds("Always"));
}

TEST(OptionCheckTest, RefusesValuesOfAnotherTypeNamingOptionAndValue) {
  for (const OptionType type : {OptionType::kBool, OptionType::kInt, OptionType::kUint, OptionType::kFloat,
                                OptionType::kSize, OptionType::kTime}) {
    EXPECT_THAT(CanonicalOption(Spec("speed", type), "fast"),
                AllOf(HasCode(Code::kConfig), MessageHas("speed"), MessageHas("\"fast\"")));
  }
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kUint), "-1"), HasCode(Code::kConfig));
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kTime), "-5s"), HasCode(Code::kConfig));
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kPath), ""), HasCode(Code::kConfig));
  EXPECT_THAT(CanonicalOption(Spec("o", OptionType::kString), std::string("a\0b", 3)), HasCode(Code::kConfig));
}

TEST(OptionCheckTest, HoldsNumbersWithinTheirBounds) {
  OptionSpec spec = Spec("part", OptionType::kSize);
  spec.min_text = "5MiB";
  spec.max_text = "5GiB";
  EXPECT_THAT(CanonicalOption(spec, "5MiB"), IsOkAndHolds("5242880"));
  EXPECT_THAT(CanonicalOption(spec, "4MiB"), MessageHas("below 5MiB"));
  EXPECT_THAT(CanonicalOption(spec, "6GiB"), MessageHas("above 5GiB"));
}

TEST(OptionCheckTest, UnknownNameGetsTheNearestOne) {
  const std::vector<OptionSpec> specs = {Spec("bucket", OptionType::kString), Spec("region", OptionType::kString)};
  EXPECT_THAT(CheckOptions("storage/s3", specs, {{"buckt", "b"}}, nullptr),
              AllOf(HasCode(Code::kConfig), MessageHas("storage/s3"), MessageHas("did you mean bucket?")));
}

TEST(OptionCheckTest, ExplicitBeatsSettingBeatsDefault) {
  OptionSpec spec = Spec("level", OptionType::kUint);
  spec.settings = {"FIRST", "SECOND"};
  spec.default_text = "3";
  spec.has_default = true;
  spec.aliases = {"l"};
  const std::vector<OptionSpec> specs = {spec};
  const SettingLookup lookup = From({{"FIRST", ""}, {"SECOND", "5"}});
  ASSERT_OK_AND_ASSIGN(CheckedOptions checked, CheckOptions("c/z", specs, {{"l", "7"}}, lookup));
  EXPECT_EQ(ValueOf(checked, "level"), "7");
  ASSERT_OK_AND_ASSIGN(checked, CheckOptions("c/z", specs, {}, lookup));
  EXPECT_EQ(ValueOf(checked, "level"), "5");
  ASSERT_OK_AND_ASSIGN(checked, CheckOptions("c/z", specs, {}, nullptr));
  EXPECT_EQ(ValueOf(checked, "level"), "3");
  EXPECT_THAT(CheckOptions("c/z", specs, {{"l", "7"}, {"level", "7"}}, nullptr), MessageHas("twice"));
  EXPECT_THAT(CheckOptions("c/z", specs, {}, From({{"FIRST", "x"}})), MessageHas("setting FIRST"));
}

TEST(OptionCheckTest, RequiredOptionNamesItsSetting) {
  OptionSpec spec = Spec("prefix", OptionType::kPath);
  spec.required = true;
  spec.settings = {"WALG_FILE_PREFIX"};
  spec.help = "Where objects lie.";
  const std::vector<OptionSpec> specs = {spec};
  EXPECT_THAT(CheckOptions("storage/fs", specs, {}, nullptr),
              AllOf(MessageHas("prefix is required"), MessageHas("WALG_FILE_PREFIX")));
}

class SecretTest : public ::testing::Test {
 protected:
  SecretTest() {
    OptionSpec spec = Spec("secret_key", OptionType::kString);
    spec.secret = true;
    spec.settings = {"AWS_SECRET"};
    specs_ = {spec};
  }
  std::vector<OptionSpec> specs_;
};

TEST_F(SecretTest, IsNotTakenFromTheCommandLineAndNotRepeated) {
  const auto refused = CheckOptions("storage/s3", specs_, {{"secret_key", "hunter2"}}, nullptr);
  EXPECT_THAT(refused, AllOf(HasCode(Code::kConfig), MessageHas("AWS_SECRET"), Not(MessageHas("hunter2"))));
}

TEST_F(SecretTest, ComesFromSettingFileEnvironmentOrCredential) {
  const test::TempDir dir;
  const std::string path = dir.Write("key", "from file\n");
  ::setenv("WALRIG_TEST_SECRET", "from env", 1);
  ::setenv("CREDENTIALS_DIRECTORY", dir.path().c_str(), 1);
  ASSERT_OK_AND_ASSIGN(CheckedOptions checked, CheckOptions("s", specs_, {}, From({{"AWS_SECRET", "set"}})));
  EXPECT_EQ(checked.secrets, std::vector<std::string>{"set"});
  ASSERT_OK_AND_ASSIGN(checked, CheckOptions("s", specs_, {{"secret_key", "file:" + path}}, nullptr));
  EXPECT_EQ(ValueOf(checked, "secret_key"), "from file");
  ASSERT_OK_AND_ASSIGN(checked, CheckOptions("s", specs_, {{"secret_key", "env:WALRIG_TEST_SECRET"}}, nullptr));
  EXPECT_EQ(ValueOf(checked, "secret_key"), "from env");
  ASSERT_OK_AND_ASSIGN(checked, CheckOptions("s", specs_, {{"secret_key", "credential:key"}}, nullptr));
  EXPECT_EQ(ValueOf(checked, "secret_key"), "from file");
  EXPECT_THAT(CheckOptions("s", specs_, {{"secret_key", "credential:../key"}}, nullptr), HasCode(Code::kConfig));
  EXPECT_THAT(CheckOptions("s", specs_, {{"secret_key", "env:WALRIG_TEST_UNSET"}}, nullptr), HasCode(Code::kConfig));
  EXPECT_THAT(CheckOptions("s", specs_, {{"secret_key", "file:" + dir.File("none")}}, nullptr),
              HasCode(Code::kNotFound));
}

TEST(PluginSpecTest, TakesNameAndOptionsApart) {
  ASSERT_OK_AND_ASSIGN(const PluginSpec spec, ParsePluginSpec("fs,prefix=/a\\,b=c,empty="));
  EXPECT_EQ(spec.name, "fs");
  EXPECT_EQ(spec.values, (OptionValues{{"prefix", "/a,b=c"}, {"empty", ""}}));
}

TEST(PluginSpecTest, RefusesWhatIsNotOfTheForm) {
  EXPECT_THAT(ParsePluginSpec(""), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(ParsePluginSpec(",a=b"), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(ParsePluginSpec("fs,prefix"), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(ParsePluginSpec("fs,=x"), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(ParsePluginSpec("fs,a=b\\"), HasCode(Code::kInvalidArgument));
  EXPECT_THAT(ParsePluginSpec("fs,"), HasCode(Code::kInvalidArgument));
}

TEST(OptionCheckTest, SaysWhereValuesStoodThatTheLineDoesNotHold) {
  using Kind = OptionOrigin::Kind;
  setenv("OPTION_CHECK_TOKEN", "hush", 1);
  OptionSpec path = Spec("path", OptionType::kPath);
  path.settings = {"ACME_PATH"};
  OptionSpec token = Spec("token", OptionType::kString);
  token.secret = true;
  token.settings = {"ACME_TOKEN"};
  const std::vector<OptionSpec> specs = {path, token};
  const auto origins = [&](const OptionValues& values, std::map<std::string, std::string> settings) {
    const Result<CheckedOptions> checked = CheckOptions("acme", specs, values, From(std::move(settings)));
    std::vector<std::tuple<Kind, std::string, bool, bool>> found;
    if (!checked.ok()) return found;
    for (const OptionOrigin& origin : checked->origins) found.emplace_back(origin.kind, origin.name, origin.secret, origin.path);
    return found;
  };
  using Found = std::vector<std::tuple<Kind, std::string, bool, bool>>;
  EXPECT_EQ(origins({}, {{"ACME_PATH", "/x"}, {"ACME_TOKEN", "t"}}),
            (Found{{Kind::kSetting, "ACME_PATH", false, true}, {Kind::kSetting, "ACME_TOKEN", true, false}}));
  EXPECT_EQ(origins({{"path", "/x"}, {"token", "env:OPTION_CHECK_TOKEN"}}, {}),
            (Found{{Kind::kEnvironment, "OPTION_CHECK_TOKEN", true, false}}));
  EXPECT_EQ(origins({{"path", "x"}}, {}), (Found{{Kind::kRelativePath, "path", false, false}}));
}

}  // namespace
}  // namespace walrig
