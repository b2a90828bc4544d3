#include "eval/free_rows.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "openbook/base/error.h"
#include "report/rows.h"

namespace openbook::guard {
namespace {

using Json = nlohmann::json;

constexpr std::array kTypes = {"Evident Baseless Info", "Subtle Baseless Info", "Evident Conflict", "Subtle Conflict"};

std::string fault_of_label(const Json& label, const std::string& answer) {
  if (const std::string wrong = attribution::fault_of_range(label, answer, "the answer"); !wrong.empty()) return wrong;
  for (const char* name : {"type", "text"})
    if (!label.contains(name) || !label[name].is_string()) return std::string("\"") + name + "\" is not a string";
  const auto begin = label["byte_start"].get<uint64_t>(), end = label["byte_end"].get<uint64_t>();
  if (answer.substr(begin, end - begin) != label["text"].get<std::string>())
    return "its text is not what stands at bytes " + std::to_string(begin) + " to " + std::to_string(end);
  const std::string type = label["type"];
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end())
    return "unknown type \"" + type + "\"; known are Evident and Subtle, Baseless Info and Conflict";
  return {};
}

std::string fault_of_labels(const Json& row) {
  if (!row.contains("labels")) return "no field \"labels\"";
  if (!row["labels"].is_array()) return "\"labels\" is not a list";
  for (size_t i = 0; i < row["labels"].size(); ++i)
    if (const std::string wrong = fault_of_label(row["labels"][i], row["answer"]); !wrong.empty())
      return "label " + std::to_string(i + 1) + ": " + wrong;
  return {};
}

FreeAnswer free_answer_of(const Json& row) {
  FreeAnswer answer{row["id"], row["source_id"], row["model"], row["question"], row["answer"], {}, {}};
  for (const Json& text : row["passages"])
    answer.passages.push_back(whole_document("passage " + std::to_string(answer.passages.size() + 1), text));
  for (const Json& label : row["labels"]) answer.labels.push_back({{label["byte_start"], label["byte_end"]}, label["type"]});
  return answer;
}

}  // namespace

FreeAnswers read_free_answers(const std::filesystem::path& file, const std::string& split) {
  const auto rows = attribution::read_rows(file,
                                           {{"id"},
                                            {"source_id"},
                                            {"model"},
                                            {"split"},
                                            {"quality"},
                                            {"question"},
                                            {"answer"},
                                            {"passages", attribution::FieldKind::kTexts}},
                                           fault_of_labels);
  FreeAnswers answers;
  for (const Json& row : rows) {
    const std::string its_split = row["split"], quality = row["quality"];
    if (split != "all" && its_split != split)
      ++answers.left_out["split " + its_split];
    else if (quality != "good")
      ++answers.left_out["quality " + quality];
    else
      answers.kept.push_back(free_answer_of(row));
  }
  if (answers.kept.empty())
    throw Error(Code::kInvalidArgument, file.string() + ": holds no rows of quality good in split \"" + split + "\"",
                "Splits are test, train and all.");
  return answers;
}

}  // namespace openbook::guard
