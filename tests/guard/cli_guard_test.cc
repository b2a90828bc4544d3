// `ask`, `check` and `eval` as a user meets them, on a hand-written model: what is printed, which exit status, and one clear
// error for whatever is wrong.
#include <gmock/gmock.h>

#include <fstream>

#include "base/full_disk.h"
#include "guard/program.h"
#include "guard/reading_guard.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::kBergen;
using test::kQuestion;
using testing::HasSubstr;

class CliGuard : public test::ReadingGuardTest {
 protected:
  void SetUp() override {
    options_ = with_log(options(test::capital_llama()));
    write("norway.md", kBergen + "\n");
    write("cold.md", "Norway is cold.\n");
  }

  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  test::ProgramResult run(std::vector<std::string> arguments, test::ProgramOptions options = {}) const {
    options.environment.insert({{"OPENBOOK_MODEL", options_.model},
                                {"OPENBOOK_EMBEDDER", options_.embedder},
                                {"OPENBOOK_ATLAS", options_.atlas},
                                {"OPENBOOK_LOG_KEY", options_.log_key}});
    options.folder = folder_.path();
    return test::run_openbook(std::move(arguments), options);
  }
  test::ProgramResult ask(std::vector<std::string> more, test::ProgramOptions options = {}) const {
    more.insert(more.begin(), {"ask", kQuestion});
    return run(std::move(more), std::move(options));
  }
  // Nothing on stdout; on stderr one line that says what, and one at most that says what to do.
  static void expect_failure(const test::ProgramResult& result, int status, const std::string& message) {
    EXPECT_EQ(result.status, status) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(result.err.starts_with("openbook: ")) << result.err;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_LE(std::count(result.err.begin(), result.err.end(), '\n'), 2) << result.err;
    EXPECT_EQ(result.err.find("defect of openbook"), std::string::npos) << result.err;
  }

  GuardOptions options_;
};

TEST_F(CliGuard, AnAnswerIsPrintedWithItsFootnotesAndAsJson) {
  const auto text = ask({"--passage", "cold.md", "--passage", "norway.md"});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_EQ(text.out, "The capital of Norway is Bergen[1].\n\n[1] norway.md:1  \"Bergen\"  (quoted)\n    " + kBergen + "\n");
  EXPECT_EQ(text.err, "");
  const auto printed = ask({"--passage", "norway.md", "--format", "json"});
  const json answer = json::parse(printed.out);
  EXPECT_EQ(answer["outcome"], "answered");
  EXPECT_EQ(answer["citations"][0]["quote"], "Bergen");
  EXPECT_EQ(answer["tokens"].size(), 7u);
}

TEST_F(CliGuard, ARefusalIsAResultAndOnRequestAStatus) {
  const auto refused = ask({"--passage", "cold.md"});
  EXPECT_EQ(refused.status, 0) << refused.err;
  EXPECT_TRUE(refused.out.starts_with(Policy().refusal_text + "\nrefused: recited: \"Oslo\"\n")) << refused.out;
  EXPECT_EQ(ask({"--passage", "cold.md", "--fail-on-refusal"}).status, 4);
  EXPECT_EQ(ask({"--passage", "norway.md", "--fail-on-refusal"}).status, 0);
  const auto unguarded = ask({"--passage", "cold.md", "--guard", "off"});
  EXPECT_THAT(unguarded.out, HasSubstr("is [recited: Oslo]."));
}

TEST_F(CliGuard, TheReceiptProvesTheAnswerLater) {
  for (const bool by_flag : {true, false}) {
    const auto answered = by_flag ? ask({"--passage", "norway.md", "--log", options_.log})
                                  : ask({"--passage", "norway.md"}, {.environment = {{"OPENBOOK_LOG", options_.log}}});
    const size_t at = answered.out.find("receipt: ");
    ASSERT_NE(at, std::string::npos) << answered.out << answered.err;
    const std::string receipt = answered.out.substr(at + 9, answered.out.size() - at - 10);
    const auto verified = run({"log", "verify", "--log", options_.log, "--expect", receipt});
    EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
    const auto shown = run({"log", "show", parse_log_receipt(receipt).answer_id, "--log", options_.log});
    EXPECT_THAT(shown.out, HasSubstr("\"Bergen\", verdict copied"));
    EXPECT_THAT(shown.out, HasSubstr("quote Bergen"));
    EXPECT_THAT(shown.out, HasSubstr("what decode, text"));
  }
}

TEST_F(CliGuard, AStoredAnswerIsRuledAgainUnderAnotherPolicy) {
  const auto refused = ask({"--passage", "cold.md", "--log", options_.log, "--format", "json"});
  ASSERT_EQ(refused.status, 0) << refused.err;
  const std::string id = json::parse(refused.out)["log_id"];
  const auto rule = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"log", "rule", id, "--log", options_.log});
    return run(std::move(more));
  };
  const auto same = rule({"--fail-on-refusal"});
  EXPECT_EQ(same.status, 4) << same.err;
  EXPECT_EQ(same.out,
            "recorded under cite-or-refuse: refused\nunder cite-or-refuse: refused\nrefused: recited: \"Oslo\"\n"
            "  refused  The capital of Norway is Oslo.  (recited: \"Oslo\")\n");
  const auto annotated = rule({"--policy", "annotate", "--fail-on-refusal"});
  EXPECT_EQ(annotated.status, 0) << annotated.err;
  EXPECT_THAT(annotated.out,
              HasSubstr("under annotate: answered\n  flagged  The capital of Norway is Oslo.  (recited: \"Oslo\")\n"
                        "not known: what the model would have said after sentence 1"));
  const json as_json = json::parse(rule({"--policy", "annotate", "--format", "json"}).out);
  EXPECT_EQ(as_json["checked"], true);
  EXPECT_EQ(as_json["outcome"], "answered");
  EXPECT_EQ(as_json["sentences"][0]["delivery"], "flagged");
  EXPECT_EQ(as_json["recorded"]["outcome"], "refused");
  EXPECT_EQ(as_json["not_known"].size(), 1u);
  EXPECT_EQ(as_json["policy_fingerprint"], Policy::annotate().fingerprint());
  expect_failure(rule({"--policy", "nowhere"}), 1, "policy nowhere: neither a shipped policy nor a file");
  EXPECT_EQ(run({"log", "erase", id, "--reason", "r", "--log", options_.log}).status, 0);
  expect_failure(rule({}), 1, "can't be ruled again: it was erased");
}

TEST_F(CliGuard, CheckJudgesWhatSomebodyElseWrote) {
  const std::vector<std::string> check = {"check", "--question", kQuestion, "--passage", "norway.md", "--answer"};
  auto written = check;
  written.push_back("The capital of Norway is Oslo.");
  EXPECT_THAT(run(written).out, HasSubstr("is [recited: Oslo]."));
  written.back() = "-";
  EXPECT_THAT(run(written, {.input = kBergen + "\n"}).out, HasSubstr("is Bergen[1]."));
  written.back() = " ";
  expect_failure(run(written), 1, "the answer is empty");
}

TEST_F(CliGuard, APassageWithoutRoomIsSaidAndKeepsNoOtherOut) {
  write("long.md", std::string(1000, 'x') + "\n");
  const std::string notice = "1 passage had no room in the model's context and took no part: long.md\n";
  const auto asked = ask({"--passage", "long.md", "--passage", "norway.md"});
  EXPECT_TRUE(asked.out.starts_with("The capital of Norway is Bergen[1].\n")) << asked.out << asked.err;
  EXPECT_TRUE(asked.out.ends_with(notice)) << asked.out;
  const auto checked =
      run({"check", "--question", kQuestion, "--answer", kBergen, "--passage", "long.md", "--passage", "norway.md"});
  EXPECT_TRUE(checked.out.ends_with(notice)) << checked.out << checked.err;
  expect_failure(ask({"--passage", "long.md"}), 1, "none of the passages (1) fits into the");
}

TEST_F(CliGuard, AnEvaluationThatIsStoppedKeepsTheRowsThatWereDone) {
  constexpr int kRows = 3000;  // far more than are done before the signal comes
  std::string rows;
  for (int i = 0; i < kRows; ++i)
    rows += json{{"id", std::to_string(i)},
                 {"title", std::to_string(i)},
                 {"question", kQuestion},
                 {"document", kBergen},
                 {"answer", "Bergen"}}
                .dump() +
            "\n";
  write("read.jsonl", rows);
  const auto lines_of = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
  const fs::path said = folder_ / "said.jsonl";
  test::ProgramOptions interrupt;
  interrupt.interrupt_when = [&](const std::string&) { return fs::exists(said) && lines_of(read_file(said)) >= 2; };
  const auto stopped = run({"eval", "read", "read.jsonl", "--rows", said}, interrupt);
  EXPECT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_EQ(stopped.out, "");
  std::ifstream kept(said);
  int count = 0;
  for (std::string line; std::getline(kept, line); ++count) {
    const json row = json::parse(line);
    EXPECT_EQ(row["id"], std::to_string(count));
    EXPECT_EQ(row["guarded"]["outcome"], "answered");
  }
  EXPECT_GE(count, 2);
  EXPECT_LT(count, kRows);
  expect_failure(run({"eval", "read", "read.jsonl", "--rows", "/dev/full"}), 1, "/dev/full: can't be written to its end");
  expect_failure(run({"eval", "read", "read.jsonl", "--rows", "none/said.jsonl"}), 1, "none/said.jsonl: can't be written");
}

TEST_F(CliGuard, EscapeSequencesInADocumentAreShownAndNotObeyed) {
  write("evil\x1B[8m.md", "\x1B[8m\xE2\x80\xAE The capital of Norway is Bergen.\x07\n");
  const auto answered = ask({"--passage", "evil\x1B[8m.md"}, {.terminal = true});
  EXPECT_THAT(answered.out, HasSubstr("evil\\x1B[8m.md:1"));
  EXPECT_THAT(answered.out, HasSubstr("\\x1B[8m\\u{202E} The capital of Norway is Bergen.\\x07"));
  for (const char* raw : {"\x1B[8m", "\xE2\x80\xAE", "\x07"}) EXPECT_EQ(answered.out.find(raw), std::string::npos);
  EXPECT_NE(answered.out.find("\x1B[32mBergen\x1B[0m"), std::string::npos) << "a copied word has a colour";
}

// The atlas with its content changed and the checksum made right again.
std::string with_changed_atlas(const fs::path& file, const std::function<void(json&)>& change) {
  json whole = json::parse(read_file(file));
  change(whole);
  whole["sha256"] = sha256_hex(whole["content"].dump());
  return whole.dump();
}

TEST_F(CliGuard, WhateverIsWrongIsOneClearErrorAndItsStatus) {
  const auto in_model = [&](const std::string& name, const std::function<void(const fs::path& folder)>& spoil) {
    fs::copy(options_.model, folder_ / name, fs::copy_options::recursive);
    spoil(folder_ / name);
    return std::vector<std::string>{"--model", folder_ / name};
  };
  const auto with_config = [&](const std::string& name, const std::string& key, const json& value) {
    return in_model(name, [&](const fs::path& folder) {
      json config = json::parse(read_file(folder / "config.json"));
      config[key] = value;
      write_file_atomically(folder / "config.json", config.dump());
    });
  };
  const auto policy = [&](const std::string& name, const std::string& toml) {
    return std::vector<std::string>{"--policy", write(name, toml)};
  };
  const auto atlas = [&](const std::string& name, const std::function<void(json&)>& change) {
    return std::vector<std::string>{"--atlas", write(name, with_changed_atlas(options_.atlas, change))};
  };
  fs::create_directory(folder_ / "hollow");
  const struct {
    std::vector<std::string> arguments;
    int status;
    const char* message;
  } rows[] = {
      {{"--model", "nowhere"}, 1, "nowhere"},
      {{"--model", "hollow"}, 1, "config.json"},
      {in_model("short", [](const fs::path& folder) { fs::resize_file(folder / "model.safetensors", 1000); }), 3,
       "model.safetensors"},
      {in_model("lying",
                [](const fs::path& folder) {
                  std::fstream(folder / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary)
                      .write("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 8);
                }),
       1, "model.safetensors"},
      {with_config("mamba", "model_type", "mamba"), 1, "mamba"},
      {with_config("wide", "vocab_size", 5000), 1, "5000"},
      {atlas("key.json", [](json& file) { file["content"]["surprise"] = 1; }), 1, "surprise: unknown key"},
      {atlas("version.json", [](json& file) { file["version"] = 9; }), 1, "version 9"},
      {{"--atlas", write("flip.json",
                         [&] {
                           std::string text = read_file(options_.atlas);
                           return text.replace(text.find("reading llama"), 7, "reaming");
                         }())},
       3,
       "SHA-256"},
      {policy("key.toml", "version = 1\nname = \"x\"\non_recitet = \"flag\"\n"), 1, "unknown key \"on_recitet\""},
      {policy("version.toml", "version = 7\nname = \"x\"\n"), 1, "version 7"},
      {{"--max-tokens", "600"}, 1, "does not fit into the model's 512 positions"},
      {{"--passage", write("latin.md", "caf\xE9\n")}, 1, "latin.md: not UTF-8"},
      {{"--passage", write("nul.md", std::string("a\0b\n", 4))}, 1, "nul.md"},
      {{"--log", options_.log, "--log-key", "lost.key"}, 1, "lost.key: is not there"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row.arguments));
    auto arguments = row.arguments;
    if (arguments[0] != "--passage") arguments.insert(arguments.end(), {"--passage", "norway.md"});
    expect_failure(ask(arguments), row.status, row.message);
  }
  EXPECT_EQ(run({"log", "verify", "--log", options_.log}).out, "whole: 0 records, 0 of them erased\n")
      << "nothing was written on the way";
}

TEST_F(CliGuard, QuestionsThatAreNoneAreOneClearError) {
  const auto run = [&](const std::string& question) { return this->run({"ask", question, "--passage", "norway.md"}); };
  expect_failure(run(" "), 1, "the question is empty");
  expect_failure(run("caf\xE9"), 1, "the question: not UTF-8");
  expect_failure(run(std::string(3000, 'x')), 1, "tokens, more than the");
  expect_failure(this->run({"ask", "-", "--passage", "norway.md"}, {.input = std::string("\0\xFF", 2)}), 1, "the question");
}

TEST_F(CliGuard, AnIndexThatIsEmptyMissingOrDamagedIsSaid) {
  const fs::path index = folder_ / "index";
  open_index(index);
  expect_failure(ask({"--index", index}), 1, "holds no documents");
  expect_failure(ask({"--index", folder_ / "none"}), 1, "none");
  {
    const auto writer = open_index(index);
    writer->ingest({.id = "norway.md", .text = kBergen, .format = "markdown", .metadata = {}});
    writer->flush();
  }
  ASSERT_TRUE(fs::exists(index / "vectors.faiss"));
  std::ofstream(index / "vectors.faiss") << "nonsense";
  EXPECT_THAT(ask({"--index", index}).out, HasSubstr("Bergen[1].")) << "the vector file is a cache";
  for (const auto& file : fs::directory_iterator(index / "rocksdb"))
    if (file.path().filename().string().starts_with("MANIFEST")) fs::resize_file(file.path(), 3);
  expect_failure(ask({"--index", index}), 3, "index");
}

TEST_F(CliGuard, AnIndexThatAnotherProcessWritesIsRead) {
  const auto writer = open_index(folder_ / "index");
  writer->ingest({.id = "norway.md", .text = kBergen, .format = "markdown", .metadata = {}});
  EXPECT_THAT(ask({"--index", folder_ / "index"}).out, HasSubstr("Bergen[1]."));
}

TEST_F(CliGuard, CheckReadsTheIndexInPlaceOfPassages) {
  open_index(folder_ / "index")->ingest({.id = "norway.md", .text = kBergen, .format = "markdown", .metadata = {}});
  const std::vector<std::string> check = {"check", "--question", kQuestion, "--answer", kBergen, "--index", folder_ / "index"};
  const auto checked = run(check);
  EXPECT_THAT(checked.out, HasSubstr("is Bergen[1].")) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("[1] norway.md:1"));
  auto both = check;
  both.insert(both.end(), {"--passage", "norway.md"});
  EXPECT_EQ(run(both).status, 2);
  auto missing = check;
  missing.back() = folder_ / "none";
  expect_failure(run(missing), 1, "none");
}

TEST_F(CliGuard, ALogThatAnotherProcessWritesIsNotWritten) {
  const auto writer = ProvenanceLog::open(options_.log, options_.log_key, LogMode::kAppend);
  expect_failure(ask({"--passage", "norway.md", "--log", options_.log}), 1, options_.log.string());
  EXPECT_EQ(writer->verify().records, 0u);
}

TEST_F(CliGuard, OnAFullDiskNothingIsShownAndTheLogStaysWhole) {
  const test::SmallDisk disk(folder_ / "disk");
  if (!disk.there()) GTEST_SKIP() << "only root can mount a small file system";
  const fs::path log = folder_ / "disk/log";
  ASSERT_EQ(run({"log", "init", "--log", log, "--log-key", folder_ / "disk.key"}).status, 0);
  const std::vector<std::string> logged = {"--passage", "norway.md", "--log", log, "--log-key", folder_ / "disk.key"};
  ASSERT_EQ(ask(logged).status, 0);
  disk.fill();
  expect_failure(ask(logged), 1, log.string());
  disk.make_room();
  EXPECT_EQ(ask(logged).status, 0);
  const auto verified = run({"log", "verify", "--log", log, "--log-key", folder_ / "disk.key"});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
}

}  // namespace
}  // namespace openbook
