// How a model wants a conversation written, as pieces of text that are either markup (special tokens are parsed) or plain (they are not).
//
// Known templates are data: ChatML (SmolLM2, Qwen) and Llama 3. The template is recognised from tokenizer_config.json's
// chat_template; one that is not known is refused by name. Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace openbook::engine {

struct ChatTemplate {
  std::string name;          // "chatml"
  std::string begin;         // before the first message, e.g. <|begin_of_text|>
  std::string system_begin, system_end;
  std::string user_begin, user_end;
  std::string assistant_begin, assistant_end;
};

ChatTemplate read_chat_template(const std::filesystem::path& model_folder);

}  // namespace openbook::engine
