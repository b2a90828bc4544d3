// How a model wants a conversation written, as pieces of markup around the texts of system, user and assistant.
//
// Known templates are data: ChatML (SmolLM2, Qwen) and Llama 3. The template is recognised by the markers in the Jinja text of
// chat_template.jinja or of tokenizer_config.json's chat_template; Jinja itself is not run. One that is not known is refused by
// name. Only the pieces below are encoded with special-token parsing on; what stands between them is plain text. Thread-safe.
//
//   const ChatTemplate chatml = read_chat_template("models/smollm2");
//   chatml.user_begin;  // "<|im_start|>user\n"
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace openbook::engine {

struct ChatTemplate {
  std::string name;   // "chatml"
  std::string begin;  // before the first message, e.g. <|begin_of_text|>
  std::string system_begin, system_end;
  std::string user_begin, user_end;
  std::string assistant_begin, assistant_end;
};

// Throws not_found when the folder has no chat template, invalid_argument when it is malformed, unimplemented when it is not
// known.
ChatTemplate read_chat_template(const std::filesystem::path& model_folder);

// The template whose markers `jinja` holds; `where` is for the message. Throws unimplemented, naming the family when it is a
// known one.
ChatTemplate recognise_chat_template(std::string_view jinja, std::string_view where);

}  // namespace openbook::engine
