#include "judge/cited_cell.h"

#include "openbook/base/table.h"

namespace openbook::guard {

std::string cited_cell(const Passage& passage, ByteSpan source) {
  const std::string_view context = passage.context;
  const std::string_view last = context.substr(context.rfind('\n') + 1);  // npos + 1 is 0
  return table_place(passage.text, {source.begin - passage.range.begin, source.end - passage.range.begin}, last);
}

}  // namespace openbook::guard
