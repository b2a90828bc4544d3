#include "report/surgery.h"

#include <algorithm>
#include <iterator>

#include "report/statistics.h"
#include "report/surgery_choice.h"

namespace openbook::attribution {
namespace {

constexpr Book kBooks[] = {Book::kOwn, Book::kOriginal, Book::kBare, Book::kClosed};

std::string book_label(Book book) {
  switch (book) {
    case Book::kOwn:
      return "open-book, counterfactual document";
    case Book::kOriginal:
      return "open-book, true document";
    case Book::kBare:
      return "bare, counterfactual document";
    case Book::kClosed:
      return "closed-book";
  }
  return "";
}

// Trials under some removals; the first removal takes nothing.
struct Sweep {
  std::vector<RemovalTrial> trials;
  std::vector<std::vector<std::string>> said;  // [removal][trial]
  RemovalList removals;

  enum class Of { kFirm, kAll };  // trials of a book

  // The mean of `value(trial, text)`, also over the removals, which are the seeds of a random order.
  template <typename Value>
  Estimate mean(Book book, const std::vector<size_t>& over, Value value, Of of = Of::kFirm) const {
    return average(book, over, of, [&](size_t trial, size_t removal) { return value(trials[trial], said[removal][trial]); });
  }

  // Of firm trials: the points of accuracy that a removal costs. What it makes right counts against what it makes wrong.
  Estimate points_lost(Book book, const std::vector<size_t>& over) const {
    return average(book, over, Of::kFirm,
                   [&](size_t trial, size_t removal) { return trials[trial].points_lost(said[0][trial], said[removal][trial]); });
  }

 private:
  template <typename Value>
  Estimate average(Book book, const std::vector<size_t>& over, Of of, Value value) const {
    std::vector<ClusteredValue> values;
    for (size_t trial = 0; trial < trials.size(); ++trial) {
      if (trials[trial].book != book || (of == Of::kFirm && !trials[trial].firm)) continue;
      double sum = 0;
      for (const size_t removal : over) sum += value(trial, removal);
      values.push_back({trials[trial].subject, sum / static_cast<double>(over.size())});
    }
    return mean_of(values);
  }
};

double accuracy(const RemovalTrial& trial, const std::string& text) { return trial.right(text); }
double document_recall(const RemovalTrial& trial, const std::string& text) { return token_recall(text, {trial.document_answer}); }
double memory_recall(const RemovalTrial& trial, const std::string& text) { return token_recall(text, trial.memory_answers); }
double right_recall(const RemovalTrial& trial, const std::string& text) {
  return trial.book == Book::kOwn || trial.book == Book::kBare ? document_recall(trial, text) : memory_recall(trial, text);
}

// One line of a chart: an order, or the mean of the random ones.
struct Line {
  std::string name, color;
  std::vector<std::vector<size_t>> removals;  // by count
};

class Surgery {
 public:
  explicit Surgery(const Laboratory& lab)
      : lab_(lab), all_orders_(removal_orders(*lab.atlas, lab.sample(5, 1), lab.seed)), orders_(all_orders_) {
    if (lab.quick) {
      part_["left_out"].push_back(
          "Quick: fewer facts, orders and counts, one random order; orders made by trying heads out are left away.");
      std::erase_if(
          orders_, [](const HeadOrder& each) { return each.name == "retrieval" || each.name == "task" || each.name == "least"; });
      counts_ = {0, 1, 3, 5};
    }
  }

  Json run() {
    choice_ = choose_surgery(lab_, all_orders_);
    const std::vector<int32_t> facts = known_facts(lab_, {Split::kTest}, lab_.sample(0, 16));
    trials_ = removal_trials(lab_, facts, books());
    for (const Book book : {Book::kOwn, Book::kClosed}) require_firm(trials_, book, "test");
    sweep(spread(facts, curve_facts_));
    cut();
    whole_table();
    chosen_table();
    curves();
    conflict_table();
    figures();
    for (const auto& [name, choice] : {std::pair{"in_context", &choice_.in_context}, {"parametric", &choice_.parametric}})
      part_["chosen"][name] = {
          {"order", choice->order}, {"heads", names(first_of(choice->heads, choice->count))}, {"score", choice->score}};
    part_["choice"] = choice_.tried;
    count_facts();
    return std::move(part_);
  }

 private:
  static Json names(const HeadSet& heads) {
    Json list = Json::array();
    for (const engine::HeadId head : heads) list.push_back(engine::to_string(head));
    return list;
  }

  void sweep(const std::vector<int32_t>& facts);
  void cut();
  void whole_table();
  void chosen_table();
  void curves();
  void conflict_table();
  void figures();
  void count_facts();
  std::vector<Book> books() const {
    return lab_.quick ? std::vector{Book::kOwn, Book::kClosed} : std::vector<Book>(std::begin(kBooks), std::end(kBooks));
  }
  std::vector<Line> lines(Sweep& sweep, const std::vector<HeadOrder>& orders) const;

  const Laboratory& lab_;
  std::vector<HeadOrder> all_orders_, orders_;  // orders_: those that are swept
  std::vector<int64_t> counts_ = {0, 1, 2, 3, 4, 5, 8, 12, 20, 28};
  const int64_t curve_facts_ = lab_.sample(120, 10);
  SurgeryChoice choice_;
  std::vector<RemovalTrial> trials_;  // of every test fact
  Sweep swept_, cut_;                 // every order and count on some facts; the chosen counts on all
  std::vector<Line> lines_;
  size_t in_context_ = 0, parametric_ = 0;  // removals of cut_
  std::vector<size_t> random_in_context_, random_parametric_;
  Json part_;
};

std::vector<Line> Surgery::lines(Sweep& sweep, const std::vector<HeadOrder>& orders) const {
  std::vector<Line> lines;
  for (const HeadOrder& order : orders) {
    const bool random = order.color == "random";
    const std::string name = random ? "random" : order.name;
    if (lines.empty() || lines.back().name != name)
      lines.push_back({name, order.color, std::vector<std::vector<size_t>>(counts_.size())});
    for (size_t i = 0; i < counts_.size(); ++i)
      lines.back().removals[i].push_back(sweep.removals.add(first_of(order.heads, counts_[i])));
  }
  return lines;
}

// Every order and count on these facts.
void Surgery::sweep(const std::vector<int32_t>& facts) {
  swept_.removals.add({});
  lines_ = lines(swept_, orders_);
  std::copy_if(trials_.begin(), trials_.end(), std::back_inserter(swept_.trials),
               [&](const RemovalTrial& each) { return std::find(facts.begin(), facts.end(), each.fact) != facts.end(); });
  swept_.said = say_without(lab_, swept_.trials, swept_.removals.sets(), "surgery: heads removed in order");
}

// The chosen heads, and as many random ones, on every test fact.
void Surgery::cut() {
  cut_.removals.add({});
  in_context_ = cut_.removals.add(first_of(choice_.in_context.heads, choice_.in_context.count));
  parametric_ = cut_.removals.add(first_of(choice_.parametric.heads, choice_.parametric.count));
  for (const HeadOrder& order : orders_) {
    if (order.color != "random") continue;
    random_in_context_.push_back(cut_.removals.add(first_of(order.heads, choice_.in_context.count)));
    random_parametric_.push_back(cut_.removals.add(first_of(order.heads, choice_.parametric.count)));
  }
  std::copy_if(trials_.begin(), trials_.end(), std::back_inserter(cut_.trials),
               [](const RemovalTrial& each) { return each.firm; });
  cut_.said = say_without(lab_, cut_.trials, cut_.removals.sets(), "surgery: the chosen heads");
}

// What the figures lose points from.
void Surgery::whole_table() {
  Json table = {
      {"title", "Accuracy with all heads, on the facts that the figures are of"},
      {"columns", {"case", "accuracy"}},
      {"rows", Json::array()},
      {"note",
       "A fact counts in a case where the model is sure of the right answer under every other wording of the question. It is "
       "asked in a wording that took no part in that: so not all need be right."}};
  for (const Book book : books()) table["rows"].push_back({book_label(book), cut_.mean(book, {0}, accuracy).to_json()});
  part_["tables"].push_back(table);
}

void Surgery::chosen_table() {
  Json table = {
      {"title", "The heads that the figures remove"},
      {"columns", {"role", "order", "count", "heads, in that order", "of them in the atlas's list"}},
      {"rows", Json::array()},
      {"note",
       lab_.quick
           ? "Quick: the count alone was chosen, on facts of fit and calibrate relations; heads are the first of the curves."
           : "Chosen on facts of fit and calibrate relations among several orders and up to ten heads. Order \"alone\": by what "
             "removing a head by itself costs; \"cumulative\": by what it costs with those before it; both of the atlas's heads "
             "and of the 16 whose removal costs most of the right answer's probability. These need not be the first heads of a "
             "curve below, whose orders follow one score."}};
  for (const auto& [role, choice] : {std::pair{"in_context", &choice_.in_context}, {"parametric", &choice_.parametric}}) {
    const HeadSet& listed = role == std::string("in_context") ? lab_.atlas->in_context : lab_.atlas->parametric;
    std::string heads;
    int64_t of_list = 0;
    for (const engine::HeadId head : first_of(choice->heads, choice->count)) {
      heads.append(heads.empty() ? "" : " ").append(engine::to_string(head));
      of_list += std::find(listed.begin(), listed.end(), head) != listed.end();
    }
    table["rows"].push_back({role, choice->order, choice->count, heads, of_list});
  }
  part_["tables"].push_back(table);
}

void Surgery::curves() {
  struct Measure {
    const char* title;
    const char* y;
    double (*value)(const RemovalTrial&, const std::string&);
  };
  for (const Measure& measure : {Measure{"Accuracy", "share right", accuracy},
                                 Measure{"Graded recall", "token recall of the right answer", right_recall}}) {
    Json table = {
        {"title", std::string(measure.title) + " with heads removed, on facts that are firmly known or firmly read"},
        {"note", "Curves are of up to " + std::to_string(curve_facts_) +
                     " facts, spread over the relations, since every order and count is tried on each of them; the figures are "
                     "of all facts. n: those of the curves that are firm in that case."},
        {"columns", {"case", "heads removed", "n"}},
        {"rows", Json::array()}};
    for (const int64_t count : counts_) table["columns"].push_back(std::to_string(count));
    for (const Book book : kBooks) {
      const int64_t cases = swept_.mean(book, {0}, measure.value).cases;
      if (cases == 0) continue;
      Json chart = {{"kind", "lines"},
                    {"title", std::string(measure.title) + ": " + book_label(book) + ", n = " + std::to_string(cases)},
                    {"x", "heads removed"},
                    {"y", measure.y},
                    {"series", Json::array()}};
      for (const Line& line : lines_) {
        Json points = Json::array(), row = {book_label(book), line.name, cases};
        for (size_t i = 0; i < counts_.size(); ++i) {
          const Estimate estimate = swept_.mean(book, line.removals[i], measure.value);
          const Json numbers = estimate.to_json();
          points.push_back({counts_[i], numbers["value"], numbers["low"], numbers["high"]});
          row.push_back(numbers["value"]);
          part_["curves"][measure.title][book_name(book)][line.name].push_back(
              Json{{"removed", counts_[i]}, {"estimate", numbers}});
        }
        chart["series"].push_back({{"name", line.name}, {"color", line.color}, {"points", points}});
        table["rows"].push_back(row);
      }
      part_["charts"].push_back(chart);
    }
    part_["tables"].push_back(table);
  }
}

// The paper's: what is said of a document that contradicts memory, on all facts, firm or not.
void Surgery::conflict_table() {
  Json table = {{"title", "Document against memory: token recall as heads are removed (counterfactual documents, all facts)"},
                {"columns", {"prompt", "heads removed", "answer", "n"}},
                {"rows", Json::array()}};
  for (const int64_t count : counts_) table["columns"].push_back(std::to_string(count));
  for (const Book book : {Book::kOwn, Book::kBare})
    for (const Line& line : lines_) {
      if (line.name != "in_context" && line.name != "parametric" && line.name != "random") continue;
      for (const bool memory : {true, false}) {
        const int64_t cases = swept_.mean(book, {0}, document_recall, Sweep::Of::kAll).cases;
        if (cases == 0) continue;
        Json row = {book == Book::kOwn ? "with instructions" : "bare", line.name, memory ? "memory's" : "the document's", cases};
        for (const auto& removals : line.removals) {
          const Estimate estimate = swept_.mean(book, removals, memory ? memory_recall : document_recall, Sweep::Of::kAll);
          row.push_back(estimate.to_json()["value"]);
          part_["conflict"][book_name(book)][line.name][memory ? "memory" : "document"].push_back(estimate.to_json());
        }
        table["rows"].push_back(row);
      }
    }
  part_["tables"].push_back(table);
}

void Surgery::figures() {
  const auto add = [&](const std::string& name, const std::string& label, Book book, const std::vector<size_t>& removals,
                       const std::string& goal, const std::string& paper) {
    part_["figures"].push_back(figure(name, label + ": points of accuracy lost, " + book_label(book),
                                      cut_.points_lost(book, removals).to_json(), goal, paper));
  };
  const std::string read = std::to_string(choice_.in_context.count) + " in-context heads removed",
                    recited = std::to_string(choice_.parametric.count) + " parametric heads removed";
  const std::string paper = "20 of 1,024 heads cost 13.9 to 63.8 points of recall (Llama-3.1-8B)";
  add("in_context_open_book", read, Book::kOwn, {in_context_}, ">= 50", paper);
  add("in_context_closed_book", read, Book::kClosed, {in_context_}, "<= 8", "in-context heads hurt closed-book too");
  add("parametric_closed_book", recited, Book::kClosed, {parametric_}, ">= 50", "");
  add("parametric_open_book", recited, Book::kOwn, {parametric_}, "<= 8", "hardly touched");
  for (const Book book : {Book::kOriginal, Book::kBare}) {
    if (lab_.quick) break;
    add("in_context_" + book_name(book), read, book, {in_context_}, "", "");
    add("parametric_" + book_name(book), recited, book, {parametric_}, "", "");
  }
  const auto random = [&](int64_t count, const std::vector<size_t>& removals) {
    for (const Book book : {Book::kOwn, Book::kClosed})
      add("random_" + std::to_string(count) + "_" + book_name(book), std::to_string(count) + " random heads removed", book,
          removals, "<= 10", "random heads hardly matter");
  };
  random(choice_.in_context.count, random_in_context_);
  if (choice_.parametric.count != choice_.in_context.count) random(choice_.parametric.count, random_parametric_);
}

// How many are measured, and how many of them are right with all heads.
void Surgery::count_facts() {
  part_["facts"]["known"] = known_facts(lab_, {Split::kTest}).size();
  for (const Book book : books()) part_["facts"]["firm"][book_name(book)] = cut_.mean(book, {0}, accuracy).to_json();
}

}  // namespace

Json run_surgery(const Laboratory& lab) { return Surgery(lab).run(); }

}  // namespace openbook::attribution
