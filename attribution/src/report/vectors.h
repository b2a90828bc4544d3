// Function vectors: what heads put out at the end of one prompt, put into another, and what the model then says.
//
// Task: of a question about one life, into another life without a question. Parametric: of an unfinished sentence about one
// subject, into a question about another. Retrieval: attention pressed onto a needle, which the model then copies (Kahardipraja
// et al. 2025, section 6). Counts and scales are chosen on a development part, and so are ways that differ from the published
// one; both are reported.
#pragma once

#include "report/experiment.h"

namespace openbook::attribution {

// Needs Laboratory::biographies; throws failed_precondition without them.
Json run_vectors(const Laboratory& laboratory);

// One of its experiments: chooses the dose, runs the test trials, adds what came of it.
struct VectorExperiment;
void add_vector_experiment(const Laboratory& laboratory, const VectorExperiment& experiment, Json& part);

}  // namespace openbook::attribution
