// The command line as a user meets it: usage, exit statuses, and the verbs that need no model.
#include <chrono>
#include <fstream>
#include <sstream>

#include "guard/log_fixture.h"
#include "guard/program.h"

namespace openbook {
namespace {

using nlohmann::json;
using test::run_openbook;

// The verbs that a help text lists.
std::vector<std::string> verbs_in(const std::string& help) {
  std::vector<std::string> verbs;
  const size_t list = help.find("\nVerbs:\n");
  if (list == std::string::npos) return verbs;
  std::istringstream lines(help.substr(list + 8));
  for (std::string line, verb; std::getline(lines, line) && line.starts_with("  ");)
    if (std::istringstream(line) >> verb) verbs.push_back(verb);
  return verbs;
}

// Help of `arguments` and of all verbs below; how many there are.
size_t expect_good_help(std::vector<std::string> arguments) {
  std::string command = "openbook";
  for (const std::string& verb : arguments) command += " " + verb;
  auto asked = arguments;
  asked.push_back("--help");
  const auto help = run_openbook(asked);
  EXPECT_EQ(help.status, 0) << command;
  EXPECT_EQ(help.err, "") << command;
  EXPECT_TRUE(help.out.starts_with(command)) << help.out;  // an example
  EXPECT_NE(help.out.find("Exit status: 0 done"), std::string::npos) << help.out;
  const auto verbs = verbs_in(help.out);
  size_t count = 1;
  for (const std::string& verb : verbs) {
    arguments.push_back(verb);
    count += expect_good_help(arguments);
    arguments.pop_back();
  }
  if (verbs.empty()) EXPECT_NE(help.out.find("--format text|json"), std::string::npos) << help.out;
  return count;
}

TEST(Cli, HelpHasAnExampleAndTheExitStatusesOnEveryVerb) {
  EXPECT_GE(expect_good_help({}), 10u);
  for (const char* verb : {"ingest", "index", "search", "ask", "check", "atlas", "eval", "log", "bench", "doctor"})
    EXPECT_NE(run_openbook({"--help"}).out.find(std::string("\n  ") + verb + " "), std::string::npos) << verb;
}

TEST(Cli, WrongUsageIsStatus2AndOneLineThatNamesIt) {
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } rows[] = {
      {{}, "openbook: no verb given; there are: "},
      {{"lgo"}, "openbook: unknown verb \"lgo\"; there are: "},
      {{"--bogus"}, "openbook: unknown option \"--bogus\""},
      {{"log"}, "openbook: no verb given; there are: init, list, show, rule, verify, rotate-key, erase"},
      {{"log", "list", "--limt", "3"}, "--limt"},
      {{"log", "list", "--limit", "many"}, "many"},
      {{"log", "list", "--format", "xml"}, "xml"},
      {{"log", "show"}, "answer is required"},
      {{"log", "show", "42"}, "\"42\" is no answer id"},
      {{"log", "verify", "--expect", "nonsense"}, "expected SEQUENCE:ANSWER_ID:MAC"},
      {{"log", "init", "--log", "x"}, "--log-key FILE is needed (or OPENBOOK_LOG_KEY)"},
      {{"log", "rule", "42"}, "\"42\" is no answer id"},
      {{"log", "rotate-key"}, "--new-key is required"},
      {{"log", "rotate-key", "--log", "x", "--new-key", "y"}, "--log-key FILE is needed (or OPENBOOK_LOG_KEY)"},
      {{"atlas", "report"}, "--out is required"},
      {{"atlas", "report", "--out", "x", "--only", "nonsense"},
       "--only: nonsense not in {contrast,roles,surgery,vectors,tracking,finders,drift,free}"},
      {{"ask", "Who?", "--passage", test::source_folder() / "README.md", "--index", "x"}, "--index excludes --passage"},
      {{"atlas", "build", "--out", "x", "--max-facts", "-4"}, "--max-facts: -4: must be 0 or more"},
      {{"atlas", "build", "--out", "x", "--finder", "1"}, "--finder: 1 not in {write-score,attnlrp}"},
      {{"eval", "conflict", "x", "--setting", "foo"}, "--setting: foo not in {own,decoy,silent,other,closed,bare}"},
      {{"log", "show", "\x1B[31m"}, "\"\\x1B[31m\" is no answer id"},
  };
  for (const auto& row : rows) {
    const auto result = run_openbook(row.arguments);
    EXPECT_EQ(result.status, 2) << row.message;
    EXPECT_EQ(result.out, "") << row.message;
    EXPECT_NE(result.err.find(row.message), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("--help shows how it is used.\n"), std::string::npos) << result.err;
  }
}

TEST(Cli, BenchDecodePrintsSpeedBesideWhatMemoryAllows) {
  const std::vector<std::string> command = {
      "bench", "decode", "--model", test::golden("tiny_llama/plain"), "--decode-tokens", "3", "--repeats", "1", "--threads", "1"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), command.begin(), command.end());
    return run_openbook(more);
  };
  const auto measured = with({"--guard", "off", "--prompt-tokens", "20", "--dtype", "float32", "--format", "json"});
  ASSERT_EQ(measured.status, 0) << measured.err;
  const json figures = json::parse(measured.out);
  EXPECT_EQ(figures["threads"], 1);
  EXPECT_EQ(figures["dtype"], "float32");
  EXPECT_GT(figures["prefill_tokens_per_second"], 0);
  const double decode = figures["decode_tokens_per_second"], floor = figures["memory_floor_tokens_per_second"];
  EXPECT_NEAR(floor, figures["read_bytes_per_second"].get<double>() / figures["weight_bytes"].get<double>(), floor * 1e-9);
  EXPECT_NEAR(figures["share_of_memory_floor"], decode / floor, 1e-9);
  EXPECT_TRUE(figures["guard_cost"].is_null());
  EXPECT_NE(with({"--guard", "off", "--prompt-tokens", "20"}).out.find("bfloat16 on cpu, 1 thread: "), std::string::npos);

  const auto other = with({"--prompt-tokens", "20", "--atlas", test::source_folder() / "examples/smollm2.atlas.json"});
  EXPECT_EQ(other.status, 1) << other.out;
  EXPECT_NE(other.err.find("the atlas was made for model smollm2-135m-instruct"), std::string::npos) << other.err;
  const auto too_long = with({"--guard", "off", "--prompt-tokens", "510"});
  EXPECT_EQ(too_long.status, 1) << too_long.out;
  EXPECT_NE(too_long.err.find("the model has 512 positions"), std::string::npos) << too_long.err;
}

TEST(Cli, AnAtlasThatCouldNotBeWrittenIsNotBuilt) {
  const auto result = run_openbook({"atlas", "build", "--out", "nowhere/atlas.json"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.err, "openbook: nowhere/atlas.json: can't be written, nowhere is no folder\n  Make it first.\n");
}

TEST(Cli, AMissingIndexIsStatus1AndSaysWhatMakesOne) {
  const test::TemporaryFolder folder;
  const auto result = run_openbook({"search", "x", "--mode", "words", "--index", folder / "none"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find((folder / "none").string()), std::string::npos) << result.err;
  EXPECT_EQ(run_openbook({"ingest", folder.path()}).status, 2);  // what is written is named
}

class CliLogTest : public LogTest {
 protected:
  test::ProgramResult run(std::vector<std::string> arguments, test::ProgramOptions options = {}) const {
    options.environment.try_emplace("OPENBOOK_LOG", log_folder());
    options.environment.try_emplace("OPENBOOK_LOG_KEY", key_file());
    arguments.insert(arguments.begin(), "log");
    return run_openbook(arguments, options);
  }
};

TEST_F(CliLogTest, InitMakesALogThatVerifiesAndRefusesASecondTime) {
  const std::vector<std::string> init = {"log", "init", "--log", folder_ / "new", "--log-key", folder_ / "new.key"};
  EXPECT_EQ(run_openbook(init).status, 0);
  EXPECT_EQ(run_openbook({"log", "verify", "--log", folder_ / "new", "--log-key", folder_ / "new.key"}).out,
            "whole: 0 records, 0 of them erased\n");
  const auto again = run_openbook(init);
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.err.find("is there already"), std::string::npos) << again.err;
}

TEST_F(CliLogTest, ListAndShowSayWhatAnAnswerWas) {
  const auto log = open(LogMode::kAppend);
  const std::string id = ProvenanceLog::new_answer_id();
  log->append(LogKind::kBegin, id, R"({"question": "Where is \u001b[31mOslo?"})");
  log->append(
      LogKind::kSentence, id,
      R"({"text": "In Norway.", "bytes": [0, 10], "claims": [{"text": "Norway", "bytes": [3, 9], "verdict": "recited", "score": 0.0123456789}], "tokens": [{}, {}]})");
  const auto last = log->append(LogKind::kEnd, id, R"({"outcome": "answered"})");
  const json listed = json::parse(run({"list", "--format", "json"}).out);
  ASSERT_EQ(listed["entries"].size(), 1u);
  EXPECT_EQ(listed["entries"][0]["answer_id"], id);
  EXPECT_EQ(listed["entries"][0]["state"], "ended");
  EXPECT_EQ(listed["entries"][0]["outcome"], "answered");
  EXPECT_EQ(listed["entries"][0]["receipt"], to_string(last));
  EXPECT_TRUE(listed["checked"]);
  const auto shown = run({"show", id});
  EXPECT_EQ(shown.status, 0);
  EXPECT_NE(shown.out.find("question  Where is \\x1B[31mOslo?"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("\"Norway\", verdict recited, score 0.01235\n"), std::string::npos) << shown.out;
  EXPECT_EQ(shown.out.find('\x1B'), std::string::npos);
  EXPECT_NE(run({"list"}).out.find("answered  Where is \\x1B[31mOslo?"), std::string::npos);
  const json records = json::parse(run({"show", id, "--format", "json"}).out)["records"];
  EXPECT_EQ(records[1]["payload"]["claims"][0]["verdict"], "recited");
}

TEST_F(CliLogTest, WhatIsNotThereIsStatus1) {
  const auto unknown = run({"show", std::string(32, '0')});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_NE(unknown.err.find("no answer 00000000000000000000000000000000"), std::string::npos) << unknown.err;
  const auto no_log = run({"list"}, {.environment = {{"OPENBOOK_LOG", folder_ / "nowhere"}}});
  EXPECT_EQ(no_log.status, 1);
  EXPECT_NE(no_log.err.find("is not there\n"), std::string::npos) << no_log.err;
  EXPECT_NE(no_log.err.find("openbook log init"), std::string::npos) << no_log.err;
}

TEST_F(CliLogTest, ABrokenLogIsStatus3) {
  const auto receipts = write_answer("x");
  EXPECT_EQ(run({"verify", "--expect", to_string(receipts[2])}).out,
            "whole: 3 records, 0 of them erased; 1 receipt found in it\n");
  {
    RawLog raw(log_folder());
    std::string record = raw.get(RawLog::kRecords, RawLog::key(2));
    record.back() ^= 1;
    raw.put(RawLog::kRecords, RawLog::key(2), record);
  }
  const auto broken = run({"verify"});
  EXPECT_EQ(broken.status, 3);
  EXPECT_EQ(broken.out, "broken: record 2: its MAC does not match: it was changed\n");
  const auto as_json = run({"verify", "--format", "json"});
  EXPECT_EQ(as_json.status, 3);
  EXPECT_EQ(json::parse(as_json.out)["state"], "broken");
  EXPECT_EQ(run({"show", receipts[0].answer_id}).status, 3);
  EXPECT_EQ(run({"erase", receipts[0].answer_id, "--reason", "r"}).status, 3);
}

TEST_F(CliLogTest, AMissingRecordIsSaidByListAndShowAndNothingCountsAsChecked) {
  const auto first = write_answer("first"), second = write_answer("second");
  const auto expect_said = [&](const std::string& finding) {
    SCOPED_TRACE(finding);
    for (const std::vector<std::string>& verb : {std::vector<std::string>{"list"}, {"show", second[0].answer_id}}) {
      auto as_json = verb;
      as_json.insert(as_json.end(), {"--format", "json"});
      const auto printed = run(as_json);
      EXPECT_EQ(printed.status, 3);
      EXPECT_EQ(json::parse(printed.out)["checked"], false);
      EXPECT_EQ(json::parse(printed.out)["unchecked_because"], finding);
      const auto text = run(verb);
      EXPECT_EQ(text.status, 3);
      EXPECT_EQ(text.err, "openbook: the log is broken: " + finding + "\n");
      EXPECT_NE(text.out.find(second[0].answer_id), std::string::npos) << text.out;  // the rest is shown
    }
  };
  RawLog(log_folder()).remove(RawLog::kRecords, RawLog::key(2));
  expect_said("record 2 is missing: record 3 follows");
}

TEST_F(CliLogTest, ACutTailIsSaidByListAndShow) {
  const auto first = write_answer("first");
  write_answer("second");
  {
    RawLog raw(log_folder());
    for (uint64_t sequence = 4; sequence <= 6; ++sequence) {
      raw.remove(RawLog::kRecords, RawLog::key(sequence));
      raw.remove(RawLog::kPayloads, RawLog::key(sequence));
    }
  }
  for (const std::vector<std::string>& verb : {std::vector<std::string>{"list"}, {"show", first[0].answer_id}}) {
    const auto said = run(verb);
    EXPECT_EQ(said.status, 3);
    EXPECT_EQ(said.err, "openbook: the log is broken: the head counts 6 records, 3 are there: the tail was cut\n");
  }
}

TEST_F(CliLogTest, TheKeyChangesAndOldRecordsVerifyWithTheOldOne) {
  const auto before = write_answer("before");
  const std::filesystem::path next = folder_ / "next.key";
  const auto changed = run({"rotate-key", "--new-key", next});
  EXPECT_EQ(changed.status, 0) << changed.err;
  EXPECT_TRUE(changed.out.starts_with("record 4 changed the key; what follows is under " + next.string() + "\nreceipt: 4:"))
      << changed.out;
  const std::string receipt = changed.out.substr(changed.out.find("receipt: ") + 9, 2 + 32 + 1 + 64);
  EXPECT_EQ(run({"verify", "--log-key", next, "--old-key", key_file(), "--expect", receipt}).out,
            "whole: 4 records, 0 of them erased; 1 receipt found in it\n");
  const auto newest_only = run({"verify", "--log-key", next});
  EXPECT_EQ(newest_only.status, 3);
  EXPECT_TRUE(newest_only.out.starts_with("unverifiable: records 1 to 3 are under key ")) << newest_only.out;
  EXPECT_EQ(json::parse(run({"verify", "--log-key", next, "--format", "json"}).out)["verified"], 1);
  const auto old_only = run({"verify"});
  EXPECT_EQ(old_only.status, 3);
  EXPECT_TRUE(old_only.out.starts_with("unverifiable: the log goes on under key ")) << old_only.out;

  const json listed = json::parse(run({"list", "--log-key", next, "--old-key", key_file(), "--format", "json"}).out);
  EXPECT_EQ(listed["checked"], true);
  EXPECT_EQ(listed["entries"].size(), 1u);
  EXPECT_EQ(listed["key_changes"][0]["receipt"], receipt);
  EXPECT_NE(run({"list", "--log-key", next}).out.find("  key changed\n"), std::string::npos);
  const json shown = json::parse(run({"show", before[0].answer_id, "--log-key", next, "--format", "json"}).out);
  EXPECT_EQ(shown["checked"], false);
  EXPECT_EQ(shown["records"][0]["checked"], false);

  const auto again = run({"rotate-key", "--new-key", folder_ / "third.key"});  // with the first key again
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.err.find("names key "), std::string::npos) << again.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "third.key"));
  const auto taken = run({"rotate-key", "--log-key", next, "--new-key", key_file()});
  EXPECT_EQ(taken.status, 1);
  EXPECT_NE(taken.err.find("exists already; a key is never replaced"), std::string::npos) << taken.err;
}

TEST_F(CliLogTest, VerifyNamesTheKeyFileThatItTookWhenNoneWasNamed) {
  write_answer("x");
  std::filesystem::create_directories(folder_ / "build/quickstart");
  std::filesystem::copy(key_file(), folder_ / "build/quickstart/log.key");
  test::ProgramOptions here{.environment = {{"OPENBOOK_LOG_KEY", ""}}, .folder = folder_.path()};
  const auto found = run({"verify"}, here);
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_EQ(found.out,
            "whole: 3 records, 0 of them erased\nkey file: build/quickstart/log.key (none was named; the quickstart's)\n");
  ProvenanceLog::init(folder_ / "other", folder_ / "other.key");
  here.environment["OPENBOOK_LOG"] = folder_ / "other";
  const auto foreign = run({"verify"}, here);
  EXPECT_EQ(foreign.status, 3);
  EXPECT_TRUE(foreign.out.starts_with("unverifiable: the log names key ")) << foreign.out;
  EXPECT_NE(foreign.out.find(", the key file build/quickstart/log.key holds "), std::string::npos) << foreign.out;
  const json as_json = json::parse(run({"verify", "--format", "json"}, here).out);
  EXPECT_EQ(as_json["log_key"], "build/quickstart/log.key");
  EXPECT_EQ(as_json["log_key_by"], "set-up");
  EXPECT_EQ(json::parse(run({"verify", "--format", "json"}).out)["log_key_by"], "OPENBOOK_LOG_KEY");
}

TEST_F(CliLogTest, ARolledBackLogIsStatus3UnderItsReceiptsFromStdin) {
  const auto receipts = write_answer("x");
  std::filesystem::copy(log_folder(), folder_ / "earlier", std::filesystem::copy_options::recursive);
  const auto later = write_answer("y");
  const test::ProgramOptions input{.input = to_string(receipts[0]) + "\n" + to_string(later[0]) + "\n"};
  EXPECT_EQ(run({"verify", "--expect", "-"}, input).status, 0);
  std::filesystem::remove_all(log_folder());
  std::filesystem::rename(folder_ / "earlier", log_folder());
  EXPECT_EQ(run({"verify"}).status, 0);
  const auto rolled_back = run({"verify", "--expect", "-"}, input);
  EXPECT_EQ(rolled_back.status, 3);
  EXPECT_NE(rolled_back.out.find("it was rolled back"), std::string::npos) << rolled_back.out;
}

TEST_F(CliLogTest, AMissingKeyIsUnverifiableAndStatus3) {
  const auto receipts = write_answer("x");
  const test::ProgramOptions no_key{.environment = {{"OPENBOOK_LOG_KEY", folder_ / "lost.key"}}};
  const auto result = run({"verify"}, no_key);
  EXPECT_EQ(result.status, 3);
  EXPECT_TRUE(result.out.starts_with("unverifiable: log key ")) << result.out;
  const auto shown = run({"show", receipts[0].answer_id}, no_key);
  EXPECT_EQ(shown.status, 0);
  EXPECT_TRUE(shown.err.starts_with("openbook: not checked: log key ")) << shown.err;
}

TEST_F(CliLogTest, ErasingLeavesALogThatIsWhole) {
  const auto receipts = write_answer("x");
  EXPECT_EQ(run({"erase", receipts[0].answer_id, "--reason", "asked for"}).out,
            "erased 3 records of " + receipts[0].answer_id + "; the chain stays whole\n");
  EXPECT_EQ(run({"verify"}).out, "whole: 4 records, 3 of them erased\n");
  EXPECT_EQ(json::parse(run({"list", "--format", "json"}).out)["entries"][0]["state"], "erased");
}

TEST_F(CliLogTest, ColourIsForTerminalsWithoutNoColor) {
  EXPECT_EQ(run({"verify"}).out.find('\x1B'), std::string::npos);
  EXPECT_NE(run({"verify"}, {.terminal = true}).out.find("\x1B[32mwhole\x1B[0m"), std::string::npos);
  EXPECT_EQ(run({"verify"}, {.environment = {{"NO_COLOR", "1"}}, .terminal = true}).out.find('\x1B'), std::string::npos);
  EXPECT_EQ(run({"verify"}, {.environment = {{"TERM", "dumb"}}, .terminal = true}).out.find('\x1B'), std::string::npos);
  EXPECT_NE(run({"verify"}, {.environment = {{"NO_COLOR", ""}}, .terminal = true}).out.find('\x1B'), std::string::npos);
}

TEST_F(CliLogTest, CtrlCEndsWith130) {
  const auto start = std::chrono::steady_clock::now();
  const auto later = [&](const std::string&) {
    return std::chrono::steady_clock::now() - start > std::chrono::milliseconds(1500);
  };
  const auto stopped = run({"verify", "--expect", "-"}, {.interrupt_when = later});  // waits for its stdin
  EXPECT_EQ(stopped.status, 130);
  EXPECT_FALSE(stopped.killed);
}

TEST_F(CliLogTest, AFullStdoutIsAFailure) {
  const std::string command = std::string(OPENBOOK_PROGRAM) + " log verify --log " + log_folder().string() + " --log-key " +
                              key_file().string() + " > /dev/full 2> " + (folder_ / "err").string();
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1);
  std::ifstream err(folder_ / "err");
  std::string line;
  std::getline(err, line);
  EXPECT_EQ(line, "openbook: can't write to stdout: No space left on device");
}

}  // namespace
}  // namespace openbook
