// Questions that ask for a number, and texts that give one.
#include "judge/quantity.h"

#include <gtest/gtest.h>

namespace openbook::guard {
namespace {

TEST(Quantity, IsAskedForByClosedLists) {
  for (const char* question : {"How many days of leave do I have?", "In 2024, how much was paid?", "How long does it last?",
                               "how old is she", "¿Cuántos días hay?", "¿Cuánto cuesta?"})
    EXPECT_TRUE(Question(question).asks_quantity()) << question;
  for (const char* question : {"How does it work?", "Who has how?", "Which of many?", "How often does it measure?", "¿Cuándo es?",
                               "Wie viele Tage?", "", "how"})
    EXPECT_FALSE(Question(question).asks_quantity()) << question;
}

TEST(Quantity, IsANumberThatTheQuestionHasNot) {
  const std::string question = "How long is the warranty of Tern Gauge 4?";
  for (const char* text : {"It is 5 years.", "It lasts five years.", "None.", "3,5 años", "IP68", "dieciséis", "Until May."})
    EXPECT_TRUE(gives_quantity(text, Question(question))) << text;
  for (const char* text : {"The warranty of Tern Gauge 4 is long.", "Years.", "", "It covers lightning."})
    EXPECT_FALSE(gives_quantity(text, Question(question))) << text;
}

}  // namespace
}  // namespace openbook::guard
