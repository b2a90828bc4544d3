// A chat template: chat_template.jinja, a separator, tokenizer_config.json, which holds one when the first is missing.
#include "fuzz.h"
#include "openbook/engine/chat_template.h"

void openbook::fuzz::run(std::string_view input) {
  const auto files = pieces(input, 2);
  file("chat_template.jinja", files[0]);
  file("tokenizer_config.json", files[1]);
  engine::read_chat_template(folder());
}
