// The words in front of an answer that only announce it.
#include "judge/lead_in.h"

#include <gmock/gmock.h>

#include "guard/ground.h"

namespace openbook::guard {
namespace {

using test::Ground;
using test::shown;
using test::speak;
using testing::ElementsAre;

TEST(LeadIn, EndsWhereTheAnswerBegins) {
  const struct {
    const char *announcing, *answer;
  } rows[] = {
      {"The answer to this question is: ", "\"Lucia Ferrand\""},
      {"An answer: ", "28 days."},
      {"The answer is ", "28 days."},
      {"According to the documents, ", "Lyon is."},
      {"Based on the given text, it is ", "Lyon."},
      {"The document states that the ", "office is in Lyon."},
      {"La respuesta a la pregunta es: ", "Lyon."},
      {"Según el documento, la ", "oficina está en Lyon."},
      {"The answer is", ""},
      // What speaks of a document's own matter, asks anew, or begins with the answer announces nothing.
      {"", "The document is in Spanish."},
      {"", "The text messages are sent."},
      {"", "Question: How many?"},
      {"", "The first answer is given within ten minutes."},
      {"", "Lyon is the answer."},
      {"", "Die Antwort lautet Lyon."},
      {"", ""},
  };
  for (const auto& row : rows) {
    const std::string text = std::string(row.announcing) + row.answer;
    EXPECT_EQ(lead_in(read_words(text, language_of(text)), language_of(text)), split_words(row.announcing).size()) << text;
  }
}

TEST(LeadIn, ClaimsNothingAndWhatFollowsIsJudged) {
  const Ground ground("Where is the office of Marlow?", {whole_document("d", "The office of Marlow is in Leeds.")});
  const Spoken copied = speak({{"The answer to the question is: ", 0}, {"Leeds", 1, {ground.place("Leeds", 0)}}}, ground.prompt);
  EXPECT_THAT(shown(judge_by_probe(copied, ground.context()), copied.text), ElementsAre("Leeds: supported"));
  EXPECT_THAT(shown(judge_by_quote(copied, ground.context()), copied.text), ElementsAre("Leeds: supported"));
  const Spoken recited = speak({{"The answer to the question is: ", 1}, {"York", 0}}, ground.prompt);
  const Judgement judgement = judge_by_probe(recited, ground.context());
  EXPECT_THAT(shown(judgement, recited.text), ElementsAre("York: unsupported"));
  EXPECT_TRUE(judgement.has(Verdict::kRecited));
}

}  // namespace
}  // namespace openbook::guard
