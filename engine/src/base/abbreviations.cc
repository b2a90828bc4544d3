#include "abbreviations.h"

#include <unordered_map>
#include <unordered_set>

namespace openbook {
namespace {

using WordSet = std::unordered_set<std::string_view>;

const WordSet& never_last() {
  static const WordSet words = {
      // titles
      "mr", "mrs", "messrs", "dr", "drs", "prof", "rev", "hon", "gen", "capt", "sgt", "cpl", "cmdr", "adm", "maj", "brig", "sen",
      "rep", "gov", "pres", "supt", "sr", "sra", "sres", "srta", "dra", "dña", "ud", "uds", "vd", "vds", "profa", "gral", "lic",
      "arq", "mons", "hr", "hrn", "fr", "frl", "dipl", "mme", "mmes", "mlle", "mlles", "mgr", "sig", "sigg", "dott", "avv", "sto",
      "sta", "ste", "mt",
      // what goes on with what it belongs to
      "vs", "cf", "cfr", "viz", "ca", "approx", "aprox", "esp", "incl", "excl", "resp", "e.g", "i.e", "eg", "ie", "w.r.t",
      "a.k.a", "n.b", "p.ej", "ej", "ee", "av", "avda", "z.b", "d.h", "u.a", "i.d.r", "z.t", "o.ä", "s.o", "bzw", "evtl", "ggf",
      "inkl", "exkl", "vgl", "sog", "geb", "verh", "gest", "mio", "mrd", "tsd", "allg", "insb", "einschl", "zzgl", "abzgl", "env",
      "janv", "févr", "juil"};
  return words;
}

const WordSet& before_number() {
  static const WordSet words = {"no",  "nos", "art",  "arts", "ch",  "ed",    "nr",  "jan", "feb", "mar", "apr", "jun", "jul",
                                "aug", "sep", "sept", "oct",  "nov", "dec",   "okt", "dez", "ene", "abr", "ago", "dic", "p",
                                "s",   "n",   "c",    "v",    "l",   "max",   "min", "máx", "mín", "est", "tel", "ext", "ver",
                                "abs", "bd",  "cap",  "caps", "str", "circa", "par", "op",  "sec", "pt"};
  return words;
}

const WordSet& before_label() {
  static const WordSet words = {"fig", "figs", "pp",  "vol",  "vols", "eq",  "eqs",  "sect", "para",  "paras", "núm",  "núms",
                                "pág", "págs", "abb", "tab",  "kap",  "anm", "aufl", "ziff", "rn",    "pag",   "pagg", "chap",
                                "éd",  "nrs",  "ref", "refs", "app",  "ex",  "exs",  "cl",   "sched", "bde",   "pl",   "tbl"};
  return words;
}

const WordSet& either() {
  static const WordSet words = {"st",   "ms",   "mm",   "col",   "lt",   "inc",  "ltd",  "co",  "corp", "bros", "plc", "llc",
                                "jr",   "esq",  "ph.d", "m.d",   "b.sc", "m.sc", "b.a",  "m.a", "a.m",  "p.m",  "etc", "al",
                                "dept", "univ", "assn", "assoc", "ave",  "blvd", "rd",   "hwy", "sq",   "ft",   "mi",  "hrs",
                                "mins", "lbs",  "oz",   "gal",   "cía",  "uu",   "dto",  "izq", "dcha", "usw",  "usf", "jh",
                                "jhd",  "jhdt", "chr",  "gmbh",  "ag",   "ecc",  "ibid", "std", "sek"};
  return words;
}

}  // namespace

Abbreviation abbreviation(std::string_view folded) {
  if (never_last().contains(folded)) return Abbreviation::kNeverLast;
  if (before_label().contains(folded)) return Abbreviation::kBeforeLabel;
  if (either().contains(folded)) return Abbreviation::kEither;
  return before_number().contains(folded) ? Abbreviation::kBeforeNumber : Abbreviation::kNone;
}

bool opens_sentences(std::string_view folded) {
  static const WordSet words = {"the", "it", "he", "she", "we", "they", "this", "that", "these", "those", "there", "here", "in",
                                "on", "at", "an", "and", "but", "or", "however", "when", "while", "where", "if", "after",
                                "before", "since", "although", "because", "for", "its", "his", "her", "their", "our", "your",
                                "my", "you", "what", "who", "how", "why", "which", "as", "by", "from", "to", "with", "without",
                                "during", "some", "many", "most", "all", "no", "not", "each", "every", "both", "its", "also",
                                "then", "today", "now", "so", "such", "only", "until", "under", "once",
                                // Spanish
                                "el", "la", "los", "las", "un", "una", "es", "se", "su", "sus", "en", "y", "pero", "por", "para",
                                "con", "como", "cuando", "este", "esta", "esto", "estos", "estas", "ese", "esa", "también", "lo",
                                "al", "del", "desde", "hasta", "tras", "sin", "si", "según",
                                // German
                                "der", "die", "das", "ein", "eine", "er", "sie", "es", "wir", "ich", "im", "am", "auf", "für",
                                "mit", "und", "aber", "doch", "wenn", "als", "nach", "bei", "von", "zu", "dieser", "diese",
                                "dieses", "auch", "danach", "dann", "seit", "dort", "hier", "dabei", "damit",
                                // French
                                "le", "les", "une", "il", "elle", "ils", "elles", "ce", "cette", "ces", "c'est", "dans", "et",
                                "mais", "pour", "par", "sur", "nous", "vous", "selon", "depuis", "après", "avant"};
  return words.contains(folded);
}

bool is_name_particle(std::string_view folded) {
  static const WordSet words = {"de",  "la",  "el", "le", "los", "las", "del", "der", "den",
                                "van", "von", "zu", "du", "al",  "il",  "lo",  "to"};
  return words.contains(folded);
}

bool comes_before_german_ordinal(std::string_view folded) {
  static const WordSet words = {
      "am",    "vom",    "zum",      "zur",      "der",        "die",     "das",     "dem",       "den",    "des",   "im",
      "beim",  "ab",     "bis",      "seit",     "ein",        "eine",    "einen",   "einem",     "einer",  "eines", "jeder",
      "jede",  "jedes",  "jeden",    "mein",     "sein",       "seine",   "seinen",  "seinem",    "seiner", "ihr",   "ihre",
      "ihren", "ihrem",  "ihrer",    "unser",    "unsere",     "dieser",  "dieses",  "diesem",    "und",    "oder",  "ins",
      "ans",   "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonnabend", "sonntag"};
  return words.contains(folded);
}

}  // namespace openbook
