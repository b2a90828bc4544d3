#include "report/experiments.h"

#include "report/contrast.h"
#include "report/drift.h"
#include "report/finders.h"
#include "report/roles.h"
#include "report/surgery.h"
#include "report/tracking.h"
#include "report/vectors.h"

namespace openbook::attribution {

std::vector<Experiment> atlas_experiments() {
  return {
      {"contrast", "Contrast set and atlas",
       "Facts that the model knows were asked for with a document that contradicts them, and in five other settings. Which "
       "answer came, and from where, is told by cause. From these answers the atlas is made: which heads do what, and a probe "
       "that tells copied from recited. The first two tables say how many answers of each kind there are; where one is rare, "
       "what rests on it is uncertain.",
       describe_contrast},
      {"roles",
       "Roles of heads",
       "Every head's share in the answer is measured when the document's answer is given and when memory's is. Heads that gain "
       "by the document are in-context heads, heads that lose parametric ones; task heads look at the question, retrieval heads "
       "at the answer. The map shows where they sit. Rank correlations say whether two halves of the subjects order the heads "
       "alike: 1 is the same order.",
       run_roles,
       {11, 20}},
      {"surgery",
       "Surgery: what is left when heads are removed",
       "Heads are switched off and the questions asked again, on facts of test relations. If roles are real, removing "
       "in-context heads costs answers from documents and spares those from memory, and removing parametric heads the other way "
       "round; random heads are the control. The figures are of heads chosen on other relations, which need not be the first of "
       "any curve.",
       run_surgery,
       {230, 74}},
      {"vectors",
       "Function vectors",
       "What heads put out at the end of one prompt is put into another. Task heads should carry over which question was asked, "
       "parametric heads what is known of a subject; retrieval heads, pressed onto a needle in the text, should copy it. Recall "
       "is how much of the expected words the model then says: compare with random heads, and with nothing edited. Doses are "
       "chosen on cases of their own.",
       run_vectors,
       {75, 55}},
      {"tracking",
       "Source tracking",
       "Can one tell from the heads whether an answer was copied from the document or recited from memory, and where it was "
       "read? Answers labelled by cause, from own test relations and from public data of which nothing was used in building the "
       "atlas, are scored by the probe and by other methods. AUC 0.5 is chance and 1 perfect; calibration says whether stated "
       "probabilities come true; the last figures are of the place.",
       run_tracking,
       {49, 158}},
      {"finders",
       "Other ways to find heads",
       "AttnLRP, the paper's way to find heads, may be patented. Here other ways rank the heads on the same cases: how far do "
       "they agree with it, and do probe and localizer do as well on the heads that they find? Figures are of test relations. "
       "Random heads show how little the choice matters to the probe.",
       run_finders,
       {19, 8}},
      {"drift",
       "Changed models",
       "Does the atlas still hold when the model changes under it? The model is loaded in the other number format and with its "
       "weights rounded to 8 bits, and the atlas judges fresh answers as it is, nothing fitted anew. It holds where AUC and "
       "place stay near those of its own validation and few recited answers pass as copied.",
       run_drift,
       {10, 29}},
  };
}

}  // namespace openbook::attribution
