// openbook log: makes, lists, verifies and erases in a provenance log, and changes its key. How records look is in log_show.cc.
#include <algorithm>
#include <iostream>
#include <map>
#include <sstream>

#include "log_rule.h"
#include "log_show.h"
#include "openbook/base/error.h"
#include "openbook/base/utf8.h"
#include "openbook/guard/provenance_log.h"
#include "options.h"
#include "terminal.h"
#include "verbs.h"

namespace openbook::cli {
namespace {

using Json = nlohmann::ordered_json;
constexpr uint64_t kPage = 1000;  // records read at a time: payloads may be large
constexpr size_t kQuestionShown = 60;

struct LogFlags {
  std::string log, key, new_key;
  std::vector<std::string> old_keys;
  std::string answer_id, reason, policy;
  bool fail_on_refusal = false;
  std::vector<std::string> expect;
  uint64_t limit = 0;
};

std::unique_ptr<ProvenanceLog> open_to_read(const LogFlags& flags) {
  const auto key = look_for(Place::kLogKey, flags.key);
  return ProvenanceLog::open(find(Place::kLog, flags.log).path, key ? key->path : std::filesystem::path(), LogMode::kReadOnly,
                             {flags.old_keys.begin(), flags.old_keys.end()});
}

std::unique_ptr<ProvenanceLog> open_to_append(const LogFlags& flags) {
  return ProvenanceLog::open(find_named(Place::kLog, flags.log).path, find_named(Place::kLogKey, flags.key).path,
                             LogMode::kAppend);
}

// What is shown of a log is shown whatever state it is in; why it may not be what was written is said beside it.
int say_if_not_whole(const LogReport& report) {
  if (report.state == LogState::kWhole) return kDone;
  const bool broken = report.state == LogState::kBroken;
  std::cerr << "openbook: " << (broken ? "the log is broken: " : "not checked: ") << escape_line(report.finding) << "\n";
  return broken ? kIntegrityBroken : kDone;
}

int init(const LogFlags& flags, const Context& context) {
  const auto log = find_named(Place::kLog, flags.log).path, key = find_named(Place::kLogKey, flags.key).path;
  ProvenanceLog::init(log, key);
  if (context.json()) {
    print_json({{"log", log.string()}, {"log_key", key.string()}});
  } else {
    print(
        "log  " + escape_line(log.string()) + "\nkey  " + escape_line(key.string()) +
        "\nKeep a copy of the key elsewhere: without it the log can't be verified or continued, and whoever has it can forge.\n");
  }
  return kDone;
}

// What `list` says of one answer, gathered from its records.
struct AnswerRow {
  int64_t time_ms = 0;
  std::string state = "interrupted";
  std::string question, outcome;
  LogReceipt last;
  uint64_t records = 0;

  bool key_changed() const { return last.answer_id == kNoAnswer; }
};

std::string text_in(const std::optional<std::string>& payload, const char* field) {
  const Json json = payload ? Json::parse(*payload, nullptr, false) : Json();
  return json.is_object() && json.contains(field) && json[field].is_string() ? json[field].get<std::string>() : "";
}

void add_record(AnswerRow& row, const LogEntry& entry) {
  if (row.records++ == 0) row.time_ms = entry.time_ms;
  row.last = entry.receipt;
  if (entry.kind == LogKind::kBegin) row.question = text_in(entry.payload, "question");
  if (entry.kind == LogKind::kEnd) {
    row.state = "ended";
    row.outcome = text_in(entry.payload, "outcome");
  }
  if (entry.kind == LogKind::kErase) row.state = "erased";
}

// A change of key is a row of its own; the other rows are answers, in the order in which they began.
std::vector<AnswerRow> rows_of(const ProvenanceLog& log, const Cancellation& cancellation) {
  std::vector<AnswerRow> rows;
  std::map<std::string, size_t> row_of;
  for (uint64_t first = 1;; first += kPage) {
    cancellation.check();
    const auto entries = log.entries(first, kPage);
    for (const LogEntry& entry : entries) {
      if (entry.kind == LogKind::kRotate) {
        rows.push_back({.time_ms = entry.time_ms, .state = "key changed", .last = entry.receipt, .records = 1});
        continue;
      }
      const auto [place, is_new] = row_of.try_emplace(entry.receipt.answer_id, rows.size());
      if (is_new) rows.emplace_back();
      add_record(rows[place->second], entry);
    }
    if (entries.size() < kPage) return rows;
  }
}

std::string short_question(const std::string& question) {
  if (question.empty()) return "";
  std::string text = question.substr(0, kQuestionShown);
  if (text.size() < question.size()) text.resize(text.size() - incomplete_utf8_suffix(text));
  std::string line = shown(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return "  " + line + (text.size() < question.size() ? "..." : "");
}

Json row_json(const AnswerRow& row) {
  Json json = {{"time", time_text(row.time_ms)}, {"time_ms", row.time_ms}, {"receipt", to_string(row.last)}};
  if (row.key_changed()) return json;
  json.update(Json{{"answer_id", row.last.answer_id},
                   {"state", row.state},
                   {"outcome", row.outcome},
                   {"question", row.question},
                   {"records", row.records}});
  return json;
}

int list(const LogFlags& flags, const Context& context) {
  const auto log = open_to_read(flags);
  const LogReport report = log->verify();
  std::vector<AnswerRow> rows = rows_of(*log, context.cancellation);
  if (flags.limit && rows.size() > flags.limit) rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(flags.limit));
  if (context.json()) {
    Json answers = Json::array(), changes = Json::array();
    for (const AnswerRow& row : rows) (row.key_changed() ? changes : answers).push_back(row_json(row));
    print_json({{"checked", report.state == LogState::kWhole},
                {"unchecked_because", report.finding},
                {"entries", std::move(answers)},
                {"key_changes", std::move(changes)}});
    return say_if_not_whole(report);
  }
  const int status = say_if_not_whole(report);
  for (const AnswerRow& row : rows)
    print(time_text(row.time_ms) + "  " + escape_line(row.last.answer_id) + "  " +
          escape_line(row.outcome.empty() ? row.state : row.outcome) + short_question(row.question) + "\n");
  if (rows.empty()) print("no answers yet\n");
  return status;
}

std::vector<LogReceipt> expected_receipts(const std::vector<std::string>& arguments) {
  std::vector<LogReceipt> receipts;
  for (const std::string& argument : arguments) {
    std::istringstream lines(text_or_stdin(argument));
    for (std::string line; std::getline(lines, line);)
      if (!line.empty()) receipts.push_back(parse_log_receipt(line));
  }
  return receipts;
}

std::string_view state_name(LogState state) {
  switch (state) {
    case LogState::kWhole:
      return "whole";
    case LogState::kBroken:
      return "broken";
    case LogState::kUnverifiable:
      return "unverifiable";
  }
  return "unknown";
}

int verify(const LogFlags& flags, const Context& context) {
  const auto receipts = expected_receipts(flags.expect);
  const LogReport report = open_to_read(flags)->verify(receipts);
  const auto key = look_for(Place::kLogKey, flags.key);
  const bool whole = report.state == LogState::kWhole;
  if (context.json()) {
    print_json({{"state", state_name(report.state)},
                {"finding", report.finding},
                {"records", report.records},
                {"verified", report.verified},
                {"erased", report.erased},
                {"interrupted", report.interrupted},
                {"expected", receipts.size()},
                {"head_mac", report.head_mac},
                {"log_key", key ? Json(key->path.string()) : Json(nullptr)},
                {"log_key_by", key ? Json(key->by) : Json(nullptr)}});
    return whole ? kDone : kIntegrityBroken;
  }
  std::string text = paint(whole ? Style::kGood : Style::kBad, state_name(report.state));
  if (!whole) text += ": " + escape_line(report.finding);
  if (whole) text += ": " + plural(report.records, "record") + ", " + std::to_string(report.erased) + " of them erased";
  if (whole && !receipts.empty()) text += "; " + plural(receipts.size(), "receipt") + " found in it";
  print(text + "\n");
  for (const std::string& answer : report.interrupted) print("interrupted (or being written now): " + escape_line(answer) + "\n");
  if (!key) print("key file: none was named, and the quickstart's is not there\n");
  if (key && key->by == "set-up") print("key file: " + escape_line(key->path.string()) + " (none was named; the quickstart's)\n");
  return whole ? kDone : kIntegrityBroken;
}

int rotate_key(const LogFlags& flags, const Context& context) {
  const std::string old_key = find_named(Place::kLogKey, flags.key).path;
  const LogReceipt receipt = open_to_append(flags)->rotate_key(flags.new_key);
  if (context.json()) {
    print_json(
        {{"sequence", receipt.sequence}, {"log_key", flags.new_key}, {"old_key", old_key}, {"receipt", to_string(receipt)}});
  } else {
    print("record " + std::to_string(receipt.sequence) + " changed the key; what follows is under " + escape_line(flags.new_key) +
          "\nreceipt: " + to_string(receipt) + "\nKeep " + escape_line(old_key) +
          ": the records before verify with it alone (--old-key). Keep a copy of the new key elsewhere.\n");
  }
  return kDone;
}

int erase(const LogFlags& flags, const Context& context) {
  const auto log = open_to_append(flags);
  log->erase(flags.answer_id, flags.reason);
  const auto entries = log->of_answer(flags.answer_id);
  size_t erased = 0;
  for (const LogEntry& entry : entries) erased += !entry.payload;
  if (context.json()) {
    print_json({{"answer_id", flags.answer_id}, {"erased", erased}, {"receipt", to_string(entries.back().receipt)}});
  } else {
    print("erased " + plural(erased, "record") + " of " + flags.answer_id + "; the chain stays whole\n");
  }
  return kDone;
}

std::string receipt_problem(const std::string& text) {
  if (text == "-") return "";
  try {
    parse_log_receipt(text);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::string answer_id_problem(const std::string& text) {
  const bool is_id = text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_id ? "" : "\"" + text + "\" is no answer id: expected 32 lower-case hex digits, as `openbook log list` shows them";
}

using Run = int(const LogFlags& flags, const Context& context);

CLI::App* add_log_verb(CLI::App& group, Context& context, std::shared_ptr<LogFlags> flags, const std::string& name,
                       const std::string& summary, const std::string& example, Run* run) {
  CLI::App* verb = add_verb(group, context, name, summary, example);
  add_place(*verb, Place::kLog, flags->log);
  add_place(*verb, Place::kLogKey, flags->key);
  verb->callback([flags, &context, run] { context.run = [flags, &context, run] { return run(*flags, context); }; });
  return verb;
}

int show(const LogFlags& flags, const Context& context) {
  const auto log = open_to_read(flags);
  const auto entries = log->of_answer(flags.answer_id);
  const LogReport report = log->verify();
  const int status = say_if_not_whole(report);
  if (context.json())
    print_json(records_json(flags.answer_id, entries, report));
  else
    print(records_text(entries));
  return status;
}

int rule(const LogFlags& flags, const Context& context) {
  const Policy policy = Policy::load(find(Place::kPolicy, flags.policy).path);
  const auto log = open_to_read(flags);
  const RuledAnswer ruled = rule_again(log->of_answer(flags.answer_id), policy);
  const LogReport report = log->verify();
  const int status = say_if_not_whole(report);
  if (context.json()) {
    Json json = {
        {"answer_id", flags.answer_id}, {"checked", report.state == LogState::kWhole}, {"unchecked_because", report.finding}};
    json.update(ruled_json(ruled, policy));
    print_json(json);
  } else {
    print(ruled_text(ruled, policy));
  }
  if (status != kDone) return status;
  return flags.fail_on_refusal && ruled.outcome != Outcome::kAnswered ? kRefusedOnRequest : kDone;
}

// For verbs that only read: those that write need the newest key alone.
void add_old_keys(CLI::App& verb, LogFlags& flags) {
  verb.add_option("--old-key", flags.old_keys, "a key from before `log rotate-key`; may be given again")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

void add_answer_id(CLI::App& verb, LogFlags& flags) {
  verb.add_option("answer", flags.answer_id, "id of the answer, 32 hex digits")
      ->required()
      ->check(CLI::Validator(answer_id_problem, ""));
}

}  // namespace

void add_log(CLI::App& app, Context& context) {
  auto flags = std::make_shared<LogFlags>();
  CLI::App* group = add_group(app, "log", "Proves later what was said, from what, and why.",
                              "openbook log init --log answers.log --log-key ~/answers.key\n"
                              "openbook log verify --log answers.log --log-key ~/answers.key");
  add_log_verb(*group, context, flags, "init",
               "Makes an empty log and its key (mode 0600, never inside the log's folder, never over a file that is there).",
               "openbook log init --log answers.log --log-key ~/answers.key", init);
  CLI::App* lists = add_log_verb(*group, context, flags, "list", "Lists the answers in a log, oldest first.",
                                 "openbook log list --log answers.log --limit 10", list);
  add_old_keys(*lists, *flags);
  lists->add_option("--limit", flags->limit, "show the newest N only (default: all)")->type_name("N");
  CLI::App* shows = add_log_verb(
      *group, context, flags, "show", "Shows everything that the log holds of one answer.",
      "openbook log show 0f9c2d6a7b1e4c53a8d0e1f2a3b4c5d6 --log answers.log\n"
      "openbook log show 0f9c2d6a7b1e4c53a8d0e1f2a3b4c5d6 --log answers.log --format json   # with every token's evidence",
      show);
  add_answer_id(*shows, *flags);
  add_old_keys(*shows, *flags);
  CLI::App* rules = add_log_verb(
      *group, context, flags, "rule",
      "Says what another policy would have done with a stored answer: what it would have delivered, flagged or refused, and "
      "why.\n"
      "No model is asked. What the model never said, such as a sentence that was not steered then, is said to be not known.",
      "openbook log rule 0f9c2d6a7b1e4c53a8d0e1f2a3b4c5d6 --policy strict.toml --log answers.log --log-key ~/answers.key", rule);
  add_answer_id(*rules, *flags);
  add_place(*rules, Place::kPolicy, flags->policy);
  add_old_keys(*rules, *flags);
  rules->add_flag("--fail-on-refusal", flags->fail_on_refusal, "exit with 4 when it is not known to be answered");
  CLI::App* verifies = add_log_verb(
      *group, context, flags, "verify",
      "Walks the whole chain: was anything changed, reordered, cut, or taken out? A log that was rolled back as a whole is\n"
      "found by --expect alone. Ends with status 3 when the log is broken, or unverifiable for want of a key: after\n"
      "`log rotate-key` the newest key proves the records since then, and that those before were not changed since then;\n"
      "who wrote those needs the old key.",
      "openbook log verify --log answers.log --log-key ~/answers.key\n"
      "openbook log verify --log answers.log --log-key ~/answers.key --expect - < receipts.txt\n"
      "openbook log verify --log answers.log --log-key ~/answers-2.key --old-key ~/answers.key",
      verify);
  add_old_keys(*verifies, *flags);
  verifies
      ->add_option("--expect", flags->expect,
                   "receipts that must be in the log, as `ask` printed them; - reads them from stdin, one a line")
      ->type_name("RECEIPT")
      ->check(CLI::Validator(receipt_problem, ""));
  CLI::App* rotates = add_log_verb(
      *group, context, flags, "rotate-key",
      "Makes a new key (mode 0600, outside the log's folder) and writes under it from the next record on. The change is a "
      "record\n"
      "under both keys. Whoever has only the old key can then change nothing, not even what was written under it, unseen. Keep\n"
      "the old key: the records before verify with it alone. After a crash the log goes on under the old or the new key.",
      "openbook log rotate-key --log answers.log --log-key ~/answers.key --new-key ~/answers-2.key", rotate_key);
  rotates->add_option("--new-key", flags->new_key, "the new key's file; nothing may be there")->type_name("FILE")->required();
  CLI::App* erases =
      add_log_verb(*group, context, flags, "erase",
                   "Takes what an answer said out of the log for good, and leaves tombstones, so that the chain still verifies.",
                   "openbook log erase 0f9c2d6a7b1e4c53a8d0e1f2a3b4c5d6 --reason \"asked for by the user\" --log answers.log "
                   "--log-key ~/answers.key",
                   erase);
  add_answer_id(*erases, *flags);
  erases->add_option("--reason", flags->reason, "kept in the log, and not erasable: name nobody in it")
      ->type_name("TEXT")
      ->required();
}

}  // namespace openbook::cli
