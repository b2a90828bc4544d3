#include "openbook/engine/chat_template.h"

#include <fstream>

#include "base/test_support.h"

namespace openbook::engine {
namespace {

using test::TemporaryFolder;

void write(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }

TEST(ChatTemplate, ChatMlIsRecognisedFromOneText) {
  TemporaryFolder folder;
  write(folder / "tokenizer_config.json", R"({"chat_template": "{{'<|im_start|>' + message['role'] + '\n'}}"})");
  const ChatTemplate chatml = read_chat_template(folder.path());
  EXPECT_EQ(chatml.name, "chatml");
  EXPECT_EQ(chatml.begin, "");
  EXPECT_EQ(chatml.user_begin, "<|im_start|>user\n");
  EXPECT_EQ(chatml.user_end, "<|im_end|>\n");
  EXPECT_EQ(chatml.assistant_begin, "<|im_start|>assistant\n");
}

TEST(ChatTemplate, Llama3IsRecognisedFromAListOfNamedTemplates) {
  TemporaryFolder folder;
  write(folder / "tokenizer_config.json", R"({"chat_template": [{"name": "tool_use", "template": "<|im_start|>"},
                                              {"name": "default", "template": "<|start_header_id|>"}]})");
  const ChatTemplate llama = read_chat_template(folder.path());
  EXPECT_EQ(llama.name, "llama3");
  EXPECT_EQ(llama.begin, "<|begin_of_text|>");
  EXPECT_EQ(llama.system_begin, "<|start_header_id|>system<|end_header_id|>\n\n");
  EXPECT_EQ(llama.assistant_end, "<|eot_id|>");
}

TEST(ChatTemplate, AJinjaFileGoesBeforeTheConfig) {
  TemporaryFolder folder;
  write(folder / "tokenizer_config.json", R"({"chat_template": "<|im_start|>"})");
  write(folder / "chat_template.jinja", "{{ '<|start_header_id|>' }}");
  EXPECT_EQ(read_chat_template(folder.path()).name, "llama3");
}

TEST(ChatTemplate, WhatIsNotKnownIsRefusedByName) {
  EXPECT_ERROR(recognise_chat_template("{{ '[INST] ' }}", "x"), Code::kUnimplemented, "Mistral");
  EXPECT_ERROR(recognise_chat_template("<start_of_turn>user", "x"), Code::kUnimplemented, "Gemma");
  EXPECT_ERROR(recognise_chat_template("\x1b[31m{{ x }}", "models/x"), Code::kUnimplemented,
               "models/x: unknown chat template, it begins: \\x1B");
}

struct BadFolder {
  const char* file;
  const char* text;
  Code code;
  const char* piece;
};

TEST(ChatTemplate, BadFoldersGiveOneClearError) {
  for (const BadFolder& row : std::vector<BadFolder>{
           {"unrelated", "", Code::kNotFound, "neither chat_template.jinja nor tokenizer_config.json"},
           {"tokenizer_config.json", "{}", Code::kNotFound, "nor a chat_template in tokenizer_config.json"},
           {"tokenizer_config.json", R"({"chat_template": null})", Code::kNotFound, "no chat template"},
           {"tokenizer_config.json", "{\"chat_template\": \"<|im", Code::kInvalidArgument, "tokenizer_config.json"},
           {"tokenizer_config.json", R"({"chat_template": 3})", Code::kInvalidArgument, "a text or a list"},
           {"tokenizer_config.json", R"({"chat_template": []})", Code::kInvalidArgument, "a text or a list"},
           {"tokenizer_config.json", R"({"chat_template": ["a"]})", Code::kInvalidArgument, "chat_template[0]"},
           {"tokenizer_config.json", R"({"chat_template": [{"name": "default"}]})", Code::kInvalidArgument,
            "\"template\" is missing"},
           {"tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "x"}]})", Code::kInvalidArgument,
            "only: rag"},
           {"chat_template.jinja", "<|im_start|>\xff", Code::kInvalidArgument, "chat_template.jinja"},
       }) {
    SCOPED_TRACE(row.text);
    TemporaryFolder folder;
    write(folder / row.file, row.text);
    EXPECT_ERROR(read_chat_template(folder.path()), row.code, row.piece);
  }
}

}  // namespace
}  // namespace openbook::engine
