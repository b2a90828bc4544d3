// Files that evaluations and experiments are fed with: rows of an evaluation; relations and facts, with a separator; biographies.
#include "contrast_files.h"
#include "fuzz.h"
#include "openbook/base/error.h"
#include "report/biography_file.h"
#include "report/rows.h"

namespace {

template <typename Read>
void refuse_or_read(const Read& read) {
  try {
    read();
  } catch (const openbook::Error& error) {
    if (error.code() == openbook::Code::kInternal) throw;
  }
}

}  // namespace

void openbook::fuzz::run(std::string_view input) {
  using namespace attribution;
  const std::vector<Field> fields = {{"id"},
                                     {"document"},
                                     {"answerable", FieldKind::kFlag, true},
                                     {"texts", FieldKind::kTexts, true},
                                     {"spans", FieldKind::kSpans, true},
                                     {"passages", FieldKind::kPassages, true}};
  refuse_or_read([&] { read_rows(file("rows.jsonl", input), fields); });
  refuse_or_read([&] { parse_biographies(std::string(input), "biographies.json"); });
  const auto parts = pieces(input, 2);
  parse_facts(std::string(parts[1]), "facts.tsv", parse_relations(std::string(parts[0]), "relations.json"));
}
