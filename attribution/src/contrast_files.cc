#include "contrast_files.h"

#include <map>
#include <set>

#include "json/parse_json.h"
#include "openbook/base/error.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

using Json = nlohmann::json;

[[noreturn]] void malformed(const std::string& where, const std::string& what) {
  throw Error(Code::kInvalidArgument, where + ": " + what, "See attribution/data/README.md for the format.");
}

struct FormRule {
  const char* key;
  bool needs_subject;
  bool has_object;
  size_t least;
};

std::vector<std::string> forms(const Json& relation, const std::string& where, const FormRule& rule) {
  const std::string key = "\"" + std::string(rule.key) + "\"";
  std::vector<std::string> list = relation.at(rule.key).get<std::vector<std::string>>();
  if (list.size() < rule.least)
    malformed(where, key + " has " + std::to_string(list.size()) + " forms of " + std::to_string(rule.least));
  for (const std::string& form : list) {
    const bool has_subject = form.find(kSubject) != std::string::npos, has_object = form.find(kObject) != std::string::npos;
    if (has_object != rule.has_object)
      malformed(where, key + ": \"" + form + (rule.has_object ? "\" lacks {object}" : "\" must not hold {object}"));
    if (rule.needs_subject && !has_subject) malformed(where, key + ": \"" + form + "\" lacks {subject}");
    if (replaced(replaced(form, kSubject, ""), kObject, "").find('{') != std::string::npos)
      malformed(where, key + ": \"" + form + "\" has an unknown placeholder");
  }
  return list;
}

Split parse_split(const std::string& name, const std::string& where) {
  if (name == "fit") return Split::kFit;
  if (name == "calibrate") return Split::kCalibrate;
  if (name == "test") return Split::kTest;
  malformed(where, "split \"" + name + "\" is none of fit, calibrate, test");
}

Relation parse_relation(const Json& json, const std::string& where) {
  Relation relation;
  relation.name = json.at("name").get<std::string>();
  relation.split = parse_split(json.at("split").get<std::string>(), where);
  relation.object_type = json.at("type").get<std::string>();
  relation.questions = forms(json, where, {"questions", true, false, 1});
  relation.clozes = forms(json, where, {"clozes", true, false, 1});
  relation.answer_sentences = forms(json, where, {"answer_sentences", true, true, 1});
  relation.support_sentences = forms(json, where, {"support_sentences", false, true, 1});
  relation.filler_sentences = forms(json, where, {"filler_sentences", false, false, 4});
  relation.decoy_sentences = forms(json, where, {"decoy_sentences", false, true, 2});
  relation.invented_subjects = json.at("invented_subjects").get<std::vector<std::string>>();
  return relation;
}

std::vector<std::string> split_at(const std::string& line, char separator) {
  std::vector<std::string> fields;
  size_t begin = 0;
  for (size_t end; (end = line.find(separator, begin)) != std::string::npos; begin = end + 1)
    fields.push_back(line.substr(begin, end - begin));
  fields.push_back(line.substr(begin));
  return fields;
}

}  // namespace

std::string replaced(std::string text, std::string_view placeholder, std::string_view value) {
  for (size_t at = text.find(placeholder); at != std::string::npos; at = text.find(placeholder, at + value.size()))
    text.replace(at, placeholder.size(), value);
  return text;
}

std::vector<Relation> parse_relations(const std::string& json, const std::string& file) {
  require_utf8(json, file);
  std::vector<Relation> relations;
  try {
    const Json list = parse_json<Json>(json, file);
    if (!list.is_array()) malformed(file, "not a list of relations");
    for (const Json& each : list)
      relations.push_back(parse_relation(each, file + ": relation " + std::to_string(relations.size() + 1)));
  } catch (const Json::exception& error) {
    malformed(file + ": relation " + std::to_string(relations.size() + 1), error.what());
  }
  return relations;
}

std::vector<Fact> parse_facts(const std::string& tsv, const std::string& file, const std::vector<Relation>& relations) {
  require_utf8(tsv, file);
  std::map<std::string, int32_t> by_name;
  for (size_t i = 0; i < relations.size(); ++i) by_name[relations[i].name] = static_cast<int32_t>(i);
  std::vector<Fact> facts;
  std::set<std::pair<int32_t, std::string>> seen;
  int64_t number = 0;
  for (const std::string& line : split_at(tsv, '\n')) {
    ++number;
    if (line.empty() || number == 1) continue;  // the first line names the columns
    const std::string where = file + ": line " + std::to_string(number);
    const std::vector<std::string> fields = split_at(line, '\t');
    if (fields.size() != 4) malformed(where, std::to_string(fields.size()) + " columns of 4");
    if (!by_name.contains(fields[0])) malformed(where, "relation \"" + fields[0] + "\" is not in relations.json");
    Fact fact{by_name[fields[0]], fields[1], fields[2], {}};
    if (!fields[3].empty()) fact.aliases = split_at(fields[3], '|');
    if (fact.subject.empty() || fact.object.empty()) malformed(where, "subject or object is empty");
    if (holds_words(fact.subject, fact.object)) malformed(where, "the subject \"" + fact.subject + "\" holds its object");
    if (!seen.insert({fact.relation, fold_case(fact.subject)}).second) malformed(where, "\"" + fact.subject + "\" stands twice");
    facts.push_back(std::move(fact));
  }
  if (facts.empty()) malformed(file, "holds no fact");
  return facts;
}

}  // namespace openbook::attribution
