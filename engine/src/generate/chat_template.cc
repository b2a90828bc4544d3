#include "openbook/engine/chat_template.h"

#include <array>
#include <utility>

#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/utf8.h"
#include "weights/json_fields.h"

namespace openbook::engine {
namespace {

constexpr uint64_t kMaxTemplateBytes = 1 << 20;

ChatTemplate chatml() {
  return {.name = "chatml",
          .begin = "",
          .system_begin = "<|im_start|>system\n",
          .system_end = "<|im_end|>\n",
          .user_begin = "<|im_start|>user\n",
          .user_end = "<|im_end|>\n",
          .assistant_begin = "<|im_start|>assistant\n",
          .assistant_end = "<|im_end|>\n"};
}

ChatTemplate llama3() {
  const auto header = [](const std::string& role) { return "<|start_header_id|>" + role + "<|end_header_id|>\n\n"; };
  return {.name = "llama3",
          .begin = "<|begin_of_text|>",
          .system_begin = header("system"),
          .system_end = "<|eot_id|>",
          .user_begin = header("user"),
          .user_end = "<|eot_id|>",
          .assistant_begin = header("assistant"),
          .assistant_end = "<|eot_id|>"};
}

// Families that a user may well try, so that the refusal can say which it is.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kOtherFamilies = {{{"[INST]", "Mistral and Llama 2"},
                                                                                          {"<start_of_turn>", "Gemma"},
                                                                                          {"<|start_of_role|>", "Granite"},
                                                                                          {"<|user|>", "Zephyr and Phi 3"},
                                                                                          {"<｜User｜>", "DeepSeek"}}};

bool holds(std::string_view text, std::string_view piece) { return text.find(piece) != std::string_view::npos; }

// transformers writes either one text or a list of {"name", "template"}, of which "default" is for plain conversation.
std::string template_text(const JsonFields& config) {
  const nlohmann::json& value = config.at("chat_template");
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array() || value.empty()) config.fail("\"chat_template\" should be a text or a list of named templates");
  std::string names;
  for (size_t i = 0; i < value.size(); ++i) {
    const JsonFields named(value[i], config.where() + ": chat_template[" + std::to_string(i) + "]");
    const std::string name = named.text("name");
    if (name == "default") return named.text("template");
    names += (names.empty() ? "" : ", ") + name;
  }
  config.fail("\"chat_template\" has no template named \"default\", only: " + escape_for_terminal(names));
}

}  // namespace

ChatTemplate recognise_chat_template(std::string_view jinja, std::string_view where) {
  if (holds(jinja, "<|start_header_id|>")) return llama3();
  if (holds(jinja, "<|im_start|>")) return chatml();
  const std::string hint = "Use a model whose template is ChatML or Llama 3.";
  for (const auto& [marker, family] : kOtherFamilies)
    if (holds(jinja, marker))
      throw Error(Code::kUnimplemented,
                  std::string(where) + ": the chat template of " + std::string(family) + " (" + std::string(marker) +
                      ") is not supported",
                  hint);
  throw Error(Code::kUnimplemented,
              std::string(where) + ": unknown chat template, it begins: " + escape_for_terminal(jinja.substr(0, 60)), hint);
}

ChatTemplate read_chat_template(const std::filesystem::path& model_folder) {
  const std::filesystem::path jinja_file = model_folder / "chat_template.jinja";
  if (is_there(jinja_file)) {
    const std::string jinja = read_file(jinja_file, kMaxTemplateBytes);
    require_utf8(jinja, jinja_file.string());
    return recognise_chat_template(jinja, jinja_file.string());
  }
  const std::filesystem::path config_file = model_folder / "tokenizer_config.json";
  const bool has_config = is_there(config_file);
  if (has_config) {
    const JsonFields config = JsonFields::read(config_file);
    if (config.has("chat_template")) return recognise_chat_template(template_text(config), config.where());
  }
  throw Error(Code::kNotFound,
              "model folder " + model_folder.string() + ": no chat template: neither chat_template.jinja nor " +
                  (has_config ? "a chat_template in tokenizer_config.json" : "tokenizer_config.json"),
              "Use an instruction-tuned model, or put its chat template into the folder.");
}

}  // namespace openbook::engine
