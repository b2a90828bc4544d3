// Sentences that say of the documents as a whole that they do not answer.
#include "answer/abstention.h"

#include <gtest/gtest.h>

namespace openbook::guard {
namespace {

const Question kSalary("What is the salary of the chief?");

TEST(Abstention, SaysThatTheDocumentsDoNotAnswer) {
  for (const char* sentence : {"The documents do not answer the question.",
                               "The provided text does NOT mention a salary.",
                               "There is no information in the passages.",
                               "I cannot answer from these documents.",
                               "Los documentos no responden.",
                               "The document doesn\u2019t say.",
                               "I don't know.",
                               "I do not know the answer.",
                               "The documents do not say.",
                               "Based on the given passages, the documents do not mention the salary of the chief.",
                               "Unfortunately, the passages don't explicitly state what the salary of the chief is.",
                               "The salary is not stated in the documents.",
                               "It is not mentioned in the provided context.",
                               "None of the passages mentions a salary.",
                               "The documents say nothing about the salary.",
                               "No information about the salary is given in the documents.",
                               "Unable to answer based on given passages.",
                               "I could not find any information about this.",
                               "No lo s\u00e9.",
                               "Lo siento, no puedo responder."})
    EXPECT_TRUE(is_abstention(sentence, kSalary)) << sentence;
  const Question salario("\u00bfCu\u00e1l es el salario del director?");
  for (const char* sentence : {"El salario del director no se menciona en los documentos.", "Los documentos no lo dicen.",
                               "No hay informaci\u00f3n sobre el salario en los documentos."})
    EXPECT_TRUE(is_abstention(sentence, salario)) << sentence;
}

TEST(Abstention, IsNoSentenceThatSaysMoreOrDeniesSomethingElse) {
  for (const char* sentence :
       {"The documents say Lyon.", "It is not in Lyon.", "The capital is Oslo.", "No.", "", "\xFF",
        // a bag of the same words
        "The context of the text is not Rome, and no document states an answer of Paris.",
        "The documents do not say so, but the salary is 90,000.", "I don't know, but Anna does.",
        "The documents do not mention it; it is high.", "I don't know. It is 100,000 pounds.",
        "The documents don't mention that Oslo is the capital.", "There is no information desk in the lobby.",
        // denials about a subject
        "The leaflet does not contain prices.", "The contract provides no information rights.", "The chief has no salary.",
        "The fee is not stated on the door.", "El folleto no contiene precios.", "No document is needed to enter."})
    EXPECT_FALSE(is_abstention(sentence, kSalary)) << sentence;
}

TEST(Abstention, IsNoSentenceAboutDocumentsWhenTheyAreWhatWasAsked) {
  EXPECT_FALSE(is_abstention("The document does not mention dogs.", Question("Which animals does the document mention?")));
  EXPECT_TRUE(is_abstention("I don't know.", Question("Which animals does the document mention?")));
}

}  // namespace
}  // namespace openbook::guard
