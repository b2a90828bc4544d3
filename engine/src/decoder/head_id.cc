#include "openbook/engine/head_id.h"

#include <charconv>

#include "openbook/base/error.h"
#include "openbook/base/utf8.h"
#include "openbook/engine/model_config.h"

namespace openbook::engine {
namespace {

// Reads `letter` and a number off the front of `text`.
bool take(std::string_view& text, char letter, int32_t& number) {
  if (text.size() < 2 || text.front() != letter || text[1] < '0' || text[1] > '9') return false;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string to_string(HeadId head) {
  std::string text = "L";
  return text.append(std::to_string(head.layer)).append(1, 'H').append(std::to_string(head.head));
}

HeadId parse_head_id(std::string_view text) {
  HeadId head;
  std::string_view rest = text;
  if (!take(rest, 'L', head.layer) || !take(rest, 'H', head.head) || !rest.empty())
    throw Error(Code::kInvalidArgument, "\"" + escape_for_terminal(text.substr(0, 40)) + "\" is not a head",
                "Heads are written like L18H6: layer 18, head 6, both counted from 0.");
  return head;
}

void require_head(HeadId head, const ModelConfig& config) {
  if (head.layer < 0 || head.layer >= config.layers || head.head < 0 || head.head >= config.heads)
    throw Error(Code::kInvalidArgument, "the model has no head " + to_string(head) + "; it has " + std::to_string(config.layers) +
                                            " layers of " + std::to_string(config.heads) + " heads");
}

}  // namespace openbook::engine
