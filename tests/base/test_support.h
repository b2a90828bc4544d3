// What the tests of every room share: where things are, folders that clean up, and the assertion on errors.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "openbook/base/error.h"
#include "openbook/base/temporary_folder.h"

namespace openbook::test {

std::filesystem::path source_folder();                     // the repository
std::filesystem::path golden(const std::string& name);     // tests/golden/NAME
std::filesystem::path test_data(const std::string& name);  // tests/data/NAME

// Public evaluation data beside the checkout (../shared/data, or OPENBOOK_EVAL_DATA); nothing when absent.
std::optional<std::filesystem::path> evaluation_data(const std::string& name);

// The models that set-up unpacked: $OPENBOOK_MODELS, else build/models. Nothing when absent.
std::optional<std::filesystem::path> model_folder(const std::string& name);  // "smollm2-135m-instruct", "all-minilm-l6-v2"

std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& path);

using openbook::TemporaryFolder;

}  // namespace openbook::test

// `statement` throws openbook::Error with `code` and a message that holds `piece`.
#define EXPECT_ERROR(statement, expected_code, piece)                                                     \
  try {                                                                                                   \
    statement;                                                                                            \
    ADD_FAILURE() << "no error from " #statement;                                                         \
  } catch (const ::openbook::Error& error) {                                                              \
    EXPECT_EQ(::openbook::code_name(error.code()), ::openbook::code_name(expected_code)) << error.what(); \
    EXPECT_NE(std::string(error.what()).find(piece), std::string::npos) << "message: " << error.what();   \
  }
