// The shipped models' tokenizers on every text of the evaluation data, against `tokenizers`
// (tests/golden/make_tokenizers.py --models).
#include <fstream>

#include "base/test_support.h"
#include "engine/tokenizer_digest.h"
#include "openbook/base/file.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::engine {
namespace {

void encode_strings(const nlohmann::json& value, const Tokenizer& tokenizer, test::TokenDigest& digest) {
  if (value.is_string())
    digest.add(tokenizer.encode(value.get_ref<const std::string&>()));
  else if (value.is_structured())
    for (const auto& item : value) encode_strings(item, tokenizer, digest);  // fields in the order of their names
}

class TokenizerData : public testing::TestWithParam<const char*> {};

TEST_P(TokenizerData, IdsAndSpansAreThoseOfTheReference) {
  const auto folder = test::model_folder(GetParam());
  const auto data = test::evaluation_data("");
  if (!folder) GTEST_SKIP() << "no build/models/" << GetParam() << ": run cmake/setup.sh";
  if (!data) GTEST_SKIP() << "no evaluation data: set OPENBOOK_EVAL_DATA";
  const auto tokenizer = load_tokenizer(*folder);
  const auto golden = nlohmann::json::parse(read_file(test::golden("tokenizer_data.json")));
  for (const auto& [name, expected] : golden["models"][GetParam()].items()) {
    SCOPED_TRACE(name);
    test::TokenDigest digest;
    if (name.ends_with(".jsonl")) {
      for (const auto& row : test::read_json_lines(*data / name)) encode_strings(row, *tokenizer, digest);
    } else {
      std::vector<std::filesystem::path> files;
      for (const auto& entry : std::filesystem::directory_iterator(*data / "docs"))
        if (entry.path().extension() == ".md") files.push_back(entry.path());
      std::sort(files.begin(), files.end());
      for (const auto& file : files) digest.add(tokenizer->encode(read_file(file)));
    }
    digest.expect_equal(expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TokenizerData, testing::Values("smollm2-135m-instruct", "all-minilm-l6-v2"),
                         [](const auto& info) { return std::string(info.param).substr(0, 3); });

}  // namespace
}  // namespace openbook::engine
