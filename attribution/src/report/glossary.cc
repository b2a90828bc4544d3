#include "report/glossary.h"

#include "report/markup.h"

namespace openbook::attribution {
namespace {

struct Word {
  const char *name, *meaning;
};

constexpr Word kWords[] = {
    {"own",
     "A setting, that is a way to ask for a fact: with the subject's document, which names another answer than memory has."},
    {"original", "The same document with the true answer: document and memory agree."},
    {"decoy", "Own, and beside it a passage that names memory's answer in another matter."},
    {"bare",
     "Own without instructions: the model continues a sentence. Here it follows the document at times and memory at others."},
    {"silent", "The subject's document without the sentences that hold the answer."},
    {"other", "Documents about other subjects, which hold neither answer."},
    {"closed", "No document: closed-book. What is said then comes from memory."},
    {"own relations, test relations",
     "The project's own facts. Their relations are split into fit (heads, probe), calibrate (thresholds, doses) and test "
     "(figures); no "
     "relation is in two of them."},
    {"conflict", "Public data: paragraphs that state a false object for a known fact (Fakepedia)."},
    {"swap", "Public data: passages to real questions (Natural Questions) whose answer was swapped for another of its kind."},
    {"read", "Public data: encyclopaedia paragraphs with questions that they answer. Nothing contradicts memory."},
    {"biographies", "The project's own short lives of people who never lived: no model can know them."},
    {"copied, recited (by cause)",
     "What the passages hold of the answer, or of its first word where they do not hold all of it, is replaced by a third "
     "answer. "
     "Where the answer follows it was copied; where it stays, or nothing of it was there, it was recited; otherwise the case is "
     "dropped and counted."},
    {"copied, recited (by the probe)",
     "What the atlas makes of a word from its heads alone, by two thresholds; between them it is unchecked."},
    {"recited passed", "The share of recited answers above the upper threshold: taken for copied, the dangerous mistake."},
    {"copied blamed", "The share of copied answers below the lower threshold: taken for recited."},
    {"nowhere", "The localizer's word for an answer that it finds no place for."},
    {"firm facts",
     "In surgery: facts that the whole model gets right under every other wording of the question, each time with a first token "
     "that is likelier than all others together. They are measured in a wording that took no part in that, so some are wrong "
     "even "
     "with all heads."},
    {"in-context, parametric heads",
     "Heads that matter more when the document's answer is given, and heads that matter more when memory's is (largest and "
     "smallest difference "
     "score)."},
    {"task, retrieval heads", "Heads that look at the question, and heads that look at the answer in the document."},
    {"graded recall", "The share of the reference's words that were said, lower case and without punctuation and articles."},
    {"accuracy, points", "The share of right answers; a point is one of a hundred."},
    {"AUC",
     "Area under the ROC curve: the probability that a copied answer scores above a recited one. 0.5 is chance, 1 is perfect."},
    {"ECE", "Expected calibration error: how far stated probabilities are from shares that came true, over ten bins."},
    {"nats", "Natural units of log probability: a difference of 1 is a factor of 2.7 in probability."},
    {"as published",
     "The paper's own way, its counts as shares of this model's heads. Best: the way that did best on a development part."},
    {"development part", "Cases on which ways and doses are chosen; no figure counts them."},
    {"interval",
     "95 % percentile bootstrap, 1,000 draws with a fixed seed, clustered by subject: all cases of one subject are drawn "
     "together."},
    {"n", "Cases counted; of an AUC, both classes together."},
};

}  // namespace

std::string glossary_html() {
  std::string words;
  for (const Word& word : kWords) words += element("dt", "", escaped(word.name)) + element("dd", "", escaped(word.meaning));
  return element("section", "id=\"glossary\"", element("h2", "", "Words") + element("dl", "", words)) + "\n";
}

}  // namespace openbook::attribution
