#include <algorithm>
#include <numeric>
#include <set>

#include "batches.h"
#include "contrast_files.h"
#include "openbook/base/error.h"
#include "openbook/base/words.h"
#include "report/statistics.h"
#include "report/vector_trials.h"
#include "seeded_draw.h"

namespace openbook::attribution {
namespace {

constexpr const char* kAttributes[] = {"birth_date", "birth_place", "education", "occupation"};  // the paper's four
constexpr int64_t kAttributeCount = std::size(kAttributes);
constexpr size_t kLeastPeople = 20;                               // for a figure of their own
constexpr uint64_t kLivesKey = 6, kPairsKey = 7, kPlacesKey = 8;  // so that parts of one report draw apart

int64_t head_count(const Laboratory& lab) { return lab.atlas->layers * lab.atlas->heads; }

const HeadSet& order_named(const std::vector<HeadOrder>& orders, const std::string& name) {
  return std::find_if(orders.begin(), orders.end(), [&](const HeadOrder& order) { return order.name == name; })->heads;
}

// Those of the order that `keep` holds of, then the others.
template <typename Keep>
HeadSet preferring(HeadSet order, Keep keep) {
  std::stable_partition(order.begin(), order.end(), keep);
  return order;
}

std::vector<Biography> lives_of(const Laboratory& lab, const std::string& language, int64_t count) {
  if (!lab.biographies)
    throw Error(Code::kFailedPrecondition, "function vectors need biographies of people who never lived",
                "Give the folder that holds biographies.json.");
  return lab.biographies->make(language, count, lab.seed * 16 + kLivesKey);
}

std::string first_language(const Laboratory& lab) {
  if (!lab.biographies) return "";
  const std::vector<std::string> languages = lab.biographies->languages();
  return std::count(languages.begin(), languages.end(), "en") ? "en" : languages.front();
}

// Questions as Ram et al. 2023 write them.
std::string begun_small(std::string question) {
  if (question[0] >= 'A' && question[0] <= 'Z') question[0] = static_cast<char>(question[0] - 'A' + 'a');
  return question;
}
std::string asked(const Biography& life, const std::string& question) {
  return life.text + "\nQ: " + begun_small(question) + "\nA:";
}

// Mean of the last tokens' z over the prompts of each source: [sources, layers, heads, d_head].
at::Tensor mean_vectors(const Laboratory& lab, const std::vector<std::vector<std::string>>& prompts_of_sources) {
  std::vector<std::vector<engine::TokenId>> prompts;
  for (const auto& of_source : prompts_of_sources)
    for (const std::string& text : of_source) prompts.push_back(tokens_of_text(lab.model(), text));
  const at::Tensor z = last_z(*lab.decoder, prompts, lab.cancellation);
  std::vector<at::Tensor> means;
  int64_t begin = 0;
  for (const auto& of_source : prompts_of_sources) {
    const auto count = static_cast<int64_t>(of_source.size());
    means.push_back(z.narrow(0, begin, count).mean(0));
    begin += count;
  }
  return at::stack(means);
}

// Of the attributes: what heads put out after a question about one life, and the mean over lives and phrasings.
struct TaskVectors {
  at::Tensor one, mean;
};
TaskVectors task_vectors(const Laboratory& lab, const std::vector<Biography>& sources) {
  std::vector<std::vector<std::string>> one, many;
  for (const char* attribute : kAttributes) {
    one.push_back({asked(sources[0], sources[0].fact(attribute).questions[0])});
    many.emplace_back();
    for (size_t i = 0; i < sources.size(); ++i) {
      const std::vector<std::string>& questions = sources[i].fact(attribute).questions;
      many.back().push_back(asked(sources[i], questions[i % questions.size()]));
    }
  }
  return {mean_vectors(lab, one), mean_vectors(lab, many)};
}

// Of every life's every attribute.
std::vector<double> recalls_when_asked(const Laboratory& lab, const std::vector<Biography>& lives, int64_t max_tokens) {
  std::vector<std::vector<engine::TokenId>> prompts;
  std::vector<std::string> values;
  for (const Biography& life : lives)
    for (const char* attribute : kAttributes) {
      prompts.push_back(tokens_of_text(lab.model(), asked(life, life.fact(attribute).questions[0])));
      values.push_back(life.fact(attribute).value);
    }
  const std::vector<std::string> said =
      say_all(*lab.decoder, prompts, {.max_tokens = max_tokens, .cancellation = lab.cancellation});
  std::vector<double> recalls;
  for (size_t i = 0; i < said.size(); ++i) recalls.push_back(token_recall(said[i], {values[i]}));
  return recalls;
}

}  // namespace

VectorExperiment task_experiment(const Laboratory& lab) {
  const int64_t sources = lab.sample(16, 4), development = lab.sample(10, 1), test = lab.sample(110, 4);
  const std::vector<Biography> lives = lives_of(lab, first_language(lab), sources + development + test);
  VectorExperiment experiment{.name = "task",
                              .title = "Task vectors",
                              .color = "task",
                              .what = "the target's attribute that the source's question asked for",
                              .scale_name = "scale"};
  experiment.goal = ">= 0.85";
  experiment.paper = "0.9475 (Llama-3.1-8B)";
  for (int64_t i = sources; i < sources + development + test; ++i)
    for (int64_t attribute = 0; attribute < kAttributeCount; ++attribute)
      (i < sources + development ? experiment.development : experiment.test)
          .push_back({lives[i].text,
                      {lives[i].fact(kAttributes[attribute]).value},
                      lives[i].person,
                      kAttributes[attribute],
                      attribute,
                      {}});
  const TaskVectors vectors = task_vectors(lab, {lives.begin(), lives.begin() + sources});
  const at::Tensor own = vectors.mean - vectors.mean.mean(0, true);  // what one question has that the others lack
  const std::vector<HeadOrder> orders = removal_orders(*lab.atlas, 0, lab.seed);
  const HeadSet& task = order_named(orders, "task");
  const HeadSet early = preferring(task, [&](engine::HeadId head) { return head.layer < lab.atlas->layers * 6 / 10; });
  const std::string mean = "mean of " + std::to_string(sources) + " lives";
  experiment.ways = {{.name = "as published", .order = task, .vectors = vectors.one},
                     {.name = mean + ", answer cue", .order = task, .vectors = vectors.mean, .cue = "\nA:"}};
  if (!lab.quick) {
    experiment.ways.push_back({.name = mean, .order = task, .vectors = vectors.mean});
    experiment.ways.push_back(
        {.name = mean + ", answer cue, first token only", .order = task, .vectors = vectors.mean, .positions = 1, .cue = "\nA:"});
    experiment.ways.push_back(
        {.name = mean + ", answer cue, lower layers", .order = early, .vectors = vectors.mean, .cue = "\nA:"});
    experiment.ways.push_back(
        {.name = "difference of means added, answer cue", .order = task, .vectors = own, .kept = 1, .cue = "\nA:"});
  }
  experiment.counts = lab.quick ? head_counts(head_count(lab), {}, {0.04, 0.15})
                                : head_counts(head_count(lab), {1, 2, 3, 4}, {0.02, 0.04, 0.075, 0.15, 0.3, 0.6, 1});
  experiment.scales = lab.quick ? std::vector<double>{1} : std::vector<double>{0.5, 1, 1.5, 2, 3};
  experiment.asked = recalls_when_asked(lab, {lives.begin() + sources + development, lives.end()}, experiment.max_tokens);
  return experiment;
}

namespace {

// One subject's cloze and another's question, of one relation.
struct SubjectPair {
  int32_t source, target;
};

// Every known fact that has another to go with, in random order.
std::vector<SubjectPair> subject_pairs(const Laboratory& lab) {
  const ContrastSet& set = *lab.facts;
  Random random = seeded({lab.seed, kPairsKey});
  std::vector<SubjectPair> pairs;
  for (const int32_t source : pick_several(random, lab.runs->known, lab.runs->known.size())) {
    const Fact& fact = set.facts[source];
    std::vector<int32_t> others;
    for (const int32_t each : lab.runs->known) {
      const Fact& other = set.facts[each];
      if (each == source || other.relation != fact.relation) continue;
      if (!holds_words(other.object, fact.object) && !holds_words(fact.object, other.object) &&
          !holds_words(other.subject, fact.object))
        others.push_back(each);
    }
    if (!others.empty()) pairs.push_back({source, pick(random, others)});
  }
  return pairs;
}

// Of the contrast set, those whose objects are people.
constexpr const char* kOfPeople[] = {"book_author", "discovery_scientist", "invention_inventor"};

// Pairs whose source's object is somebody whom no development pair has.
std::vector<SubjectPair> pairs_of_people(const ContrastSet& set, const std::vector<SubjectPair>& pairs, size_t development) {
  std::set<std::string> met;
  for (size_t i = 0; i < development; ++i) met.insert(set.facts[pairs[i].source].object);
  std::vector<SubjectPair> of_people;
  for (const SubjectPair& pair : pairs) {
    const Fact& source = set.facts[pair.source];
    if (std::ranges::count(kOfPeople, set.relations[source.relation].name) && !met.contains(source.object))
      of_people.push_back(pair);
  }
  return of_people;
}

// Trials of pairs, and the clozes that their vectors come from.
class PairTrials {
 public:
  explicit PairTrials(const Laboratory& lab) : set_(*lab.facts), random_(seeded({lab.seed, kPairsKey, 1})) {}

  VectorTrial add(const SubjectPair& pair) {
    const Fact &source = set_.facts[pair.source], &target = set_.facts[pair.target];
    const Relation& relation = set_.relations[source.relation];
    std::vector<std::string> clozes;
    for (const std::string& form : relation.clozes) clozes.push_back(replaced(form, kSubject, source.subject));
    one_.push_back({pick(random_, clozes)});
    all_.push_back(std::move(clozes));
    std::vector<std::string> references = {source.object};
    references.insert(references.end(), source.aliases.begin(), source.aliases.end());
    const std::string question = begun_small(replaced(pick(random_, relation.questions), kSubject, target.subject));
    return {"Answer these questions:\nQ: " + question + "\nA:",
            std::move(references),
            source.subject,
            relation.name,
            static_cast<int64_t>(one_.size()) - 1,
            {}};
  }

  const std::vector<std::vector<std::string>>& one() const { return one_; }  // cloze of each
  const std::vector<std::vector<std::string>>& all() const { return all_; }

 private:
  const ContrastSet& set_;
  Random random_;
  std::vector<std::vector<std::string>> one_, all_;
};

// The paper's vectors are of people. The contrast set has them as authors, discoverers and inventors.
void add_people(const Laboratory& lab, const std::vector<SubjectPair>& pairs, PairTrials& trials, VectorExperiment& experiment) {
  std::set<std::string> people;
  for (const SubjectPair& pair : pairs_of_people(*lab.facts, pairs, experiment.development.size())) {
    VectorTrial trial = trials.add(pair);
    trial.cluster = lab.facts->facts[pair.source].object;
    trial.group = "people: " + trial.group;
    people.insert(trial.cluster);
    experiment.beyond.push_back(std::move(trial));
  }
  if (people.size() >= kLeastPeople) {
    experiment.beyond_name = "people";
    experiment.beyond_what = "the person of the source (author, discoverer, inventor) in answer to a question about another";
    return;
  }
  experiment.beyond.clear();
  experiment.left_out.push_back("Parametric vectors of people alone: the model knows " + std::to_string(people.size()) +
                                " people who took no part in choosing the dose, " + std::to_string(kLeastPeople) +
                                " are needed. Add authors, discoverers or inventors that it knows to facts.tsv.");
}

}  // namespace

VectorExperiment parametric_experiment(const Laboratory& lab) {
  const std::vector<SubjectPair> pairs = subject_pairs(lab);
  if (pairs.size() < 10)
    throw Error(Code::kFailedPrecondition,
                "parametric vectors need 10 known facts that share a relation with another; the model knows " +
                    std::to_string(pairs.size()),
                "Add facts that the model knows to facts.tsv.");
  VectorExperiment experiment{.name = "parametric",
                              .title = "Parametric vectors",
                              .color = "parametric",
                              .what = "the source's object in answer to a question about another subject",
                              .scale_name = "scale"};
  experiment.goal = ">= 0.40";
  experiment.paper = "0.3884 (Llama-3.1-8B)";
  PairTrials trials(lab);
  const size_t count = std::min(pairs.size(), static_cast<size_t>(lab.sample(500, 24)));
  const auto development = std::max<size_t>(count / 10, lab.quick ? 4 : 5);
  for (size_t i = 0; i < count; ++i) (i < development ? experiment.development : experiment.test).push_back(trials.add(pairs[i]));
  if (!lab.quick) add_people(lab, pairs, trials, experiment);
  const at::Tensor plain = mean_vectors(lab, trials.one()), mean = mean_vectors(lab, trials.all());
  const std::vector<HeadOrder> orders = removal_orders(*lab.atlas, 0, lab.seed);
  const HeadSet& parametric = order_named(orders, "parametric");
  const HeadSet late = preferring(parametric, [&](engine::HeadId head) { return head.layer >= lab.atlas->layers / 2; });
  experiment.ways = {{.name = "as published", .order = parametric, .vectors = plain},
                     {.name = "mean of the relation's clozes", .order = parametric, .vectors = mean}};
  if (!lab.quick) {
    experiment.ways.push_back({.name = "mean of clozes, first token only", .order = parametric, .vectors = mean, .positions = 1});
    experiment.ways.push_back({.name = "mean of clozes, upper layers", .order = late, .vectors = mean});
    experiment.ways.push_back({.name = "mean of clozes added", .order = parametric, .vectors = mean, .kept = 1});
  }
  experiment.counts = head_counts(
      head_count(lab), {},
      lab.quick ? std::vector<double>{0.15, 0.3} : std::vector<double>{0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.6, 0.8, 1});
  experiment.scales = lab.quick ? std::vector<double>{1, 2} : std::vector<double>{1, 1.25, 1.5, 2, 2.5, 3};  // the paper's range
  return experiment;
}

namespace {

// A needle at the beginning of one of the life's sentences, but not of its first.
VectorTrial hidden(const Biography& life, const std::string& needle, const std::string& joiner, Random& random) {
  const auto begin = static_cast<size_t>(life.sentence_begins[1 + draw(random, life.sentence_begins.size() - 1)]);
  const auto size = static_cast<int64_t>(needle.size());
  return {life.text.substr(0, begin) + needle + joiner + life.text.substr(begin), {needle}, life.person, life.language, 0,
          {static_cast<int64_t>(begin), static_cast<int64_t>(begin) + size}};
}

void hide_needles(const Laboratory& lab, const std::string& language, int64_t development, int64_t test,
                  std::vector<VectorTrial>& tried, std::vector<VectorTrial>& tested) {
  const BiographyLanguage& known = lab.biographies->language(language);
  const std::vector<Biography> lives = lives_of(lab, language, development + test);
  Random random = seeded({lab.seed, kPlacesKey});
  for (int64_t i = 0; i < development + test; ++i)
    for (const std::string& needle : lab.quick ? pick_several(random, known.needles, 2) : known.needles)
      (i < development ? tried : tested).push_back(hidden(lives[i], needle, known.joiner, random));
}

}  // namespace

VectorExperiment retrieval_experiment(const Laboratory& lab) {
  VectorExperiment experiment{.name = "retrieval",
                              .title = "Forced copying",
                              .color = "retrieval",
                              .what = "the needle onto which attention is pressed",
                              .scale_name = "bias in nats"};
  experiment.goal = ">= 0.93";
  experiment.paper = "0.9345 (Llama-3.1-8B)";
  const std::string main_language = first_language(lab);
  std::vector<VectorTrial> none;
  lives_of(lab, main_language, 0);  // refuses a laboratory without biographies
  hide_needles(lab, main_language, lab.sample(6, 1), lab.sample(30, 3), experiment.development, experiment.test);
  for (const std::string& language : lab.biographies->languages())
    if (language != main_language && !lab.quick) hide_needles(lab, language, 0, 10, none, experiment.beyond);
  experiment.ways = {{.name = "as published", .order = order_named(removal_orders(*lab.atlas, 0, lab.seed), "retrieval")}};
  experiment.beyond_name = "other languages";
  experiment.counts = head_counts(
      head_count(lab), {},
      lab.quick ? std::vector<double>{0.075, 0.2} : std::vector<double>{0.02, 0.04, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3});
  experiment.scales = lab.quick ? std::vector<double>{4} : std::vector<double>{2, 3, 4, 6, 8, 11};
  experiment.sharpens = lab.quick ? std::vector<double>{1, 1.5} : std::vector<double>{1, 1.25, 1.5, 2, 3};
  return experiment;
}

}  // namespace openbook::attribution
