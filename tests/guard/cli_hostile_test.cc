// Files that nobody should have given: every verb that reads them says the same, at once, in one clear error.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <functional>

#include "guard/program.h"
#include "guard/reading_guard.h"
#include "openbook/base/file.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::kBergen;
using test::kQuestion;
using testing::HasSubstr;

class CliHostile : public test::ReadingGuardTest {
 protected:
  void SetUp() override {
    options_ = options(test::capital_llama());
    write_file_atomically(folder_ / "norway.md", kBergen + "\n");
  }
  test::ProgramResult run(const std::vector<std::string>& arguments) const {
    return test::run_openbook(arguments, {.environment = {{"OPENBOOK_MODEL", options_.model},
                                                          {"OPENBOOK_EMBEDDER", options_.embedder},
                                                          {"OPENBOOK_ATLAS", options_.atlas}},
                                          .folder = folder_.path()});
  }
  std::string pipe(const fs::path& path) const {
    fs::remove(path);
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    return path.string();
  }
  // A copy of the model that `damage` has changed.
  fs::path model_with(const std::string& name, const std::function<void(const fs::path& folder)>& damage) const {
    const fs::path copy = folder_ / name;
    fs::copy(options_.model, copy);
    damage(copy);
    return copy;
  }
  // What the verb says on stderr, or doctor in its line on `part`.
  void expect_all_say(const std::string& part, const std::vector<std::string>& flag, const std::string& message) const {
    const auto with_flag = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.end(), flag.begin(), flag.end());
      return run(arguments);
    };
    for (const std::vector<std::string>& verb :
         {std::vector<std::string>{"ask", kQuestion, "--passage", "norway.md"},
          {"check", "--question", kQuestion, "--answer", kBergen, "--passage", "norway.md"}}) {
      const auto result = with_flag(verb);
      EXPECT_EQ(result.status, 1) << verb[0];
      EXPECT_THAT(result.err, HasSubstr(message)) << verb[0];
      EXPECT_EQ(result.err.find("defect of openbook"), std::string::npos) << result.err;
    }
    const auto doctor = with_flag({"doctor", "--format", "json"});
    EXPECT_EQ(doctor.status, 1);
    for (const json& check : json::parse(doctor.out)["checks"])
      if (check["check"] == part) EXPECT_THAT(check["detail"].get<std::string>(), HasSubstr(message));
  }

  GuardOptions options_;
};

TEST_F(CliHostile, DoctorAskAndCheckSayTheSameOfAModel) {
  const std::string deep = "{\"rope_scaling\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  const struct {
    const char* name;
    std::function<void(const fs::path& folder)> damage;
    const char* message;
  } rows[] = {
      {"no-template",
       [](const fs::path& folder) {
         json config = json::parse(read_file(folder / "tokenizer_config.json"));
         config.erase("chat_template");
         write_file_atomically(folder / "tokenizer_config.json", config.dump());
       },
       "no chat template"},
      {"foreign-template", [](const fs::path& folder) { write_file_atomically(folder / "chat_template.jinja", "[INST]"); },
       "the chat template of Mistral and Llama 2"},
      {"deep", [&](const fs::path& folder) { write_file_atomically(folder / "config.json", deep); }, "nested deeper than"},
      {"deep-generation", [&](const fs::path& folder) { write_file_atomically(folder / "generation_config.json", deep); },
       "generation_config.json: nested deeper than"},
      {"pipe", [&](const fs::path& folder) { pipe(folder / "config.json"); }, "config.json: is a pipe"},
      {"weights-pipe", [&](const fs::path& folder) { pipe(folder / "model.safetensors"); }, "model.safetensors: is a pipe"},
      {"gone", [](const fs::path& folder) { fs::remove_all(folder); }, "gone: is not there"},
      {"reader.gguf",
       [](const fs::path& folder) {
         fs::remove_all(folder);
         write_file_atomically(folder, "GGUF");
       },
       "reader.gguf: is a GGUF file"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    expect_all_say("model", {"--model", model_with(row.name, row.damage).string()}, row.message);
  }
}

TEST_F(CliHostile, DoctorAskAndCheckSayTheSameOfAnAtlas) {
  std::string numbers = read_file(options_.atlas);
  const size_t nats = numbers.find("\"causal_nats\": ") + 15;
  numbers.replace(nats, numbers.find_first_of(",\n", nats) - nats, "-1e999");
  write_file_atomically(folder_ / "numbers.json", numbers);
  write_file_atomically(folder_ / "deep.json", std::string(100'000, '['));
  expect_all_say("atlas", {"--atlas", pipe(folder_ / "atlas-pipe")}, "atlas-pipe: is a pipe");
  expect_all_say("atlas", {"--atlas", "numbers.json"}, "\"content.causal_nats\" holds a number that is too large");
  expect_all_say("atlas", {"--atlas", "deep.json"}, "nested deeper than");
  const auto asked = run({"ask", kQuestion, "--passage", "norway.md", "--policy", pipe(folder_ / "policy-pipe.toml")});
  EXPECT_EQ(asked.status, 1);
  EXPECT_THAT(asked.err, HasSubstr("policy-pipe.toml: is a pipe"));
}

// libgomp says, when it is loaded, how it will wait.
TEST(Waiting, ThreadsSpinBrieflyUnlessTheUserChooses) {
  ::unsetenv("OMP_WAIT_POLICY");
  ::unsetenv("GOMP_SPINCOUNT");
  const auto spins = [](std::map<std::string, std::string> environment) {
    environment["OMP_DISPLAY_ENV"] = "verbose";
    return test::run_openbook({"--version"}, {.environment = std::move(environment)}).err;
  };
  EXPECT_THAT(spins({}), HasSubstr("GOMP_SPINCOUNT = '1000'"));
  EXPECT_THAT(spins({{"OMP_WAIT_POLICY", "passive"}}), HasSubstr("GOMP_SPINCOUNT = '0'"));
  EXPECT_THAT(spins({{"OMP_WAIT_POLICY", "active"}}), HasSubstr("GOMP_SPINCOUNT = '30000000000'"));
  EXPECT_THAT(spins({{"GOMP_SPINCOUNT", "77"}}), HasSubstr("GOMP_SPINCOUNT = '77'"));
}

}  // namespace
}  // namespace openbook
