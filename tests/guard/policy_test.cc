#include "openbook/guard/policy.h"

#include <fstream>

#include "base/test_support.h"

namespace openbook {
namespace {

std::string with(const std::string& lines) { return "version = 1\nname = \"mine\"\n" + lines; }

TEST(Policy, ShippedPoliciesAreFoundByNameAndSayWhatTheirFilesSay) {
  const Policy strict = Policy::load("cite-or-refuse");
  EXPECT_EQ(strict.name, "cite-or-refuse");
  EXPECT_EQ(strict.on_recited, Action::kSteer);
  EXPECT_EQ(strict.fingerprint(), Policy().fingerprint());  // who embeds a Guard and sets nothing gets it
  EXPECT_EQ(strict.after_steering, Action::kRefuse);
  EXPECT_FALSE(strict.stream_words);
  const Policy loose = Policy::load("annotate");
  EXPECT_EQ(loose.on_uncited, Action::kFlag);
  EXPECT_TRUE(loose.stream_words);
  EXPECT_EQ(loose.fingerprint(), Policy::annotate().fingerprint());  // what `check` and `ask --guard off` rule by
}

TEST(Policy, IsReadBackFromTheTextThatItWrites) {
  Policy policy = Policy::annotate();
  policy.name = "a \"name\", and more";
  policy.on_recited = Action::kRefuse;
  policy.stream_words = false;
  policy.max_sentences = 1000;
  std::string all = "line one\nline two\t \\ ' ' ' \"\"\" \u00e4 \U0001f600 end";
  for (char control = 1; control < 32; ++control) all += control;
  policy.refusal_text = all + "\x7f";
  policy.abstained_text = "\n";
  const Policy read = Policy::parse(policy.to_toml(), "written");
  EXPECT_EQ(read.name, policy.name);
  EXPECT_EQ(read.refusal_text, policy.refusal_text);
  EXPECT_EQ(read.fingerprint(), policy.fingerprint());
  EXPECT_EQ(Policy::parse(Policy().to_toml(), "written").fingerprint(), Policy().fingerprint());
  EXPECT_TRUE(Policy().to_toml().starts_with("version = 1\nname = \"cite-or-refuse\"\non_recited = \"steer\"\n"))
      << Policy().to_toml();
}

TEST(Policy, AFileIsReadByItsPath) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "mine.toml") << with(
      "on_unchecked = \"refuse\"\nmax_sentences = 2\nrefusal_text = \"No.\"\n"
      "abstained_text = \"Not in here.\"\n");
  const Policy policy = Policy::load(folder / "mine.toml");
  EXPECT_EQ(policy.on_unchecked, Action::kRefuse);
  EXPECT_EQ(policy.max_sentences, 2);
  EXPECT_EQ(policy.refusal_text, "No.");
  EXPECT_EQ(policy.abstained_text, "Not in here.");
}

TEST(Policy, WhatIsNotThereNamesTheShippedOnes) {
  try {
    Policy::load("cite-or-refuze");
    FAIL() << "found";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_EQ(error.hint(), "Shipped policies: annotate, cite-or-refuse.");
  }
  EXPECT_ERROR(Policy::load("/nowhere/policy.toml"), Code::kNotFound, "/nowhere/policy.toml");
  EXPECT_ERROR(Policy::load("/dev/zero"), Code::kInvalidArgument, "is a device, not a file");
}

TEST(Policy, BadFilesAreRefusedByWhatIsWrongInThem) {
  const struct {
    std::string toml;
    Code code;
    const char* piece;
  } rows[] = {
      {"", Code::kInvalidArgument, "has no version"},
      {"version = \"1\"", Code::kInvalidArgument, "version is string, expected a whole number"},
      {"version = 2\nname = \"x\"", Code::kUnimplemented, "version 2, this build reads version 1"},
      {"version = 1", Code::kInvalidArgument, "has no name"},
      {"version = 1\nname = 3", Code::kInvalidArgument, "line 2: name is integer, expected text"},
      {with("on_recitet = \"flag\""), Code::kInvalidArgument,
       "line 3: unknown key \"on_recitet\"; known: version, name, on_recited"},
      {with("[on_recited]\na = 1"), Code::kInvalidArgument, "on_recited is table"},
      {with("on_recited = \"delete\""), Code::kInvalidArgument, "is no action; known: allow, flag, steer, refuse"},
      {with("on_recited = true"), Code::kInvalidArgument, "on_recited is boolean, expected an action"},
      {with("stream_words = 1"), Code::kInvalidArgument, "stream_words is integer, expected true or false"},
      {with("stream_words = \"false\""), Code::kInvalidArgument, "stream_words is string"},
      {with("max_sentences = 2.0"), Code::kInvalidArgument, "max_sentences is floating-point, expected a whole number"},
      {with("max_sentences = 0"), Code::kInvalidArgument, "expected 1 to 1000"},
      {with("max_sentences = -9223372036854775808"), Code::kInvalidArgument, "expected 1 to 1000"},
      {with("after_steering = \"steer\""), Code::kInvalidArgument, "expected flag or refuse"},
      {with("after_steering = \"allow\""), Code::kInvalidArgument, "expected flag or refuse"},
      {with("refusal_text = \"\""), Code::kInvalidArgument, "refusal_text is empty"},
      {with("abstained_text = \"\""), Code::kInvalidArgument, "abstained_text is empty"},
      {with("abstained_text = false"), Code::kInvalidArgument, "abstained_text is boolean, expected text"},
      {with("stream_words = true"), Code::kInvalidArgument, "contradicts on_recited = \"steer\""},
      {with("stream_words = true\non_recited = \"flag\"\non_unchecked = \"refuse\""), Code::kInvalidArgument,
       "contradicts on_unchecked = \"refuse\""},
      {with("stream_words = true\non_recited = \"flag\"\non_unchecked = \"flag\"\non_off_topic = \"flag\"\non_uncited = "
            "\"allow\"\nrequire_causal_citations = true"),
       Code::kInvalidArgument, "contradicts require_causal_citations"},
      {with("name = \"again\""), Code::kInvalidArgument, "line 3"},
      {with("on_recited = "), Code::kInvalidArgument, "line 3"},
      {with("refusal_text = \"\xFF\""), Code::kInvalidArgument, "not UTF-8 at byte 42"},
      {std::string("\0\0\0", 3), Code::kInvalidArgument, "line 1"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.toml);
    EXPECT_ERROR(Policy::parse(row.toml, "p.toml"), row.code, row.piece);
  }
}

TEST(Policy, FingerprintChangesWithEveryFieldAndNothingElse) {
  const Policy base = Policy::parse(with(""), "a.toml");
  EXPECT_EQ(base.fingerprint(), Policy::parse(with("# a remark\n\nmax_sentences = 4"), "b.toml").fingerprint());
  for (const char* line : {"on_recited = \"flag\"", "on_unchecked = \"refuse\"", "on_off_topic = \"flag\"",
                           "on_uncited = \"refuse\"", "after_steering = \"flag\"", "require_causal_citations = true",
                           "max_sentences = 5", "refusal_text = \"No.\"", "abstained_text = \"Not there.\""})
    EXPECT_NE(base.fingerprint(), Policy::parse(with(line), "a.toml").fingerprint()) << line;
  EXPECT_NE(base.fingerprint(), Policy::parse("version = 1\nname = \"other\"", "a.toml").fingerprint());
  // The fingerprint that the first release wrote into logs.
  EXPECT_EQ(Policy().fingerprint(), "3b1d487ee9a94d02f0dbda21692bab4fabbc5d1856b1ace79b6d0c6d401a32ac");
  EXPECT_EQ(base.fingerprint(),
            Policy::parse(with("abstained_text = \"" + Policy().abstained_text + "\""), "c.toml").fingerprint());
  Policy streaming = Policy::load("annotate"), held = streaming;
  held.stream_words = false;
  EXPECT_NE(streaming.fingerprint(), held.fingerprint());
}

}  // namespace
}  // namespace openbook
