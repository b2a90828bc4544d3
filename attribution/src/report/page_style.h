// The look of the report's page. No <, > or & in it: the page is XML too.
#pragma once

namespace openbook::attribution {

inline constexpr char kPageStyle[] = R"(
:root { color-scheme: light dark; --back: #ffffff; --text: #1d2126; --faint: #5d6670; --rule: #d9dee3;
  --task: #1f6fd0; --retrieval: #1a8f3c; --parametric: #d9730d; --in_context: #0f8b8d; --random: #76797d; --least: #8a5fb0; --recited: #c62f2f; --other: #4c5560; --heat: 26, 143, 60;
  --p0: #3b55c9; --p1: #b3541e; --p2: #a23b9c; --p3: #6b7a00; --p4: #00799e; --p5: #7a4a1e; --p6: #7d5fd3; --p7: #a87800; --p8: #c2185b; --p9: #455a64; }
@media (prefers-color-scheme: dark) {
  :root { --back: #15181c; --text: #e4e7ea; --faint: #9aa4ae; --rule: #343b43;
    --task: #6aa9ff; --retrieval: #4cc66f; --parametric: #ff9d47; --in_context: #45c4c6; --random: #a5a9ad; --least: #b895da; --recited: #ff7b72; --other: #b4bcc4; --heat: 76, 198, 111;
    --p0: #8ea2ff; --p1: #f0935a; --p2: #e48ade; --p3: #b9c94a; --p4: #4fc3ec; --p5: #c99a6b; --p6: #b8a2ff; --p7: #e8bb45; --p8: #ff7fae; --p9: #a9bcc6; }
}
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { font-size: 1.3rem; margin-top: 2.5rem; border-top: 1px solid var(--rule); padding-top: 1rem; } h3 { font-size: 1.05rem; }
a { color: var(--task); }
.note { color: var(--faint); font-style: italic; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--rule); }
details td { overflow-wrap: anywhere; } details th { white-space: nowrap; }
thead th { color: var(--faint); font-weight: 600; vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.label { min-width: 9rem; } .goal { white-space: nowrap; }
.ours { min-width: 8rem; font-variant-numeric: tabular-nums; }
.reached { color: var(--retrieval); white-space: nowrap; } .missed { color: var(--recited); white-space: nowrap; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; min-width: 0; } figcaption { font-weight: 600; font-size: .95rem; }
figure.head_map, figure.heat_text { grid-column: 1 / -1; } figure.head_map svg { max-width: 46rem; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--faint); font-size: 12px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .2rem 0; padding: 0; font-size: .85rem; }
.legend .key { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; } .legend .stroke { width: 2rem; }
.grid { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke: currentColor; stroke-width: 2; } .mark { fill: currentColor; } .cloud .mark { fill-opacity: .55; }
.band { fill: currentColor; fill-opacity: .16; } .whisker { stroke: currentColor; stroke-width: 1.5; } rect { fill: currentColor; }
.c-task { color: var(--task); } .c-retrieval, .c-copied { color: var(--retrieval); } .c-parametric { color: var(--parametric); } .c-in_context { color: var(--in_context); }
.c-random { color: var(--random); } .c-least { color: var(--least); } .c-recited { color: var(--recited); } .c-other { color: var(--other); }
.p0 { color: var(--p0); } .p1 { color: var(--p1); stroke-dasharray: 7 3; } .p2 { color: var(--p2); stroke-dasharray: 2 3; } .p3 { color: var(--p3); stroke-dasharray: 9 3 2 3; } .p4 { color: var(--p4); } .p5 { color: var(--p5); stroke-dasharray: 7 3; } .p6 { color: var(--p6); stroke-dasharray: 2 3; } .p7 { color: var(--p7); stroke-dasharray: 9 3 2 3; } .p8 { color: var(--p8); } .p9 { color: var(--p9); stroke-dasharray: 7 3; }
.mark, .band, .whisker { stroke-dasharray: none; }
.heat { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.8; } .heat span { unicode-bidi: isolate; border-radius: .15rem; }
.h1 { background: rgba(var(--heat), .08); } .h2 { background: rgba(var(--heat), .16); } .h3 { background: rgba(var(--heat), .24); } .h4 { background: rgba(var(--heat), .32); }
.h5 { background: rgba(var(--heat), .40); } .h6 { background: rgba(var(--heat), .48); } .h7 { background: rgba(var(--heat), .56); } .h8 { background: rgba(var(--heat), .64); }
.h9 { background: rgba(var(--heat), .75); }
.about { max-width: 46rem; } dt { font-weight: 600; } dd { margin: 0 0 .5rem 1.2rem; max-width: 46rem; } .counts { color: var(--faint); }
summary { cursor: pointer; color: var(--faint); }
)";

}  // namespace openbook::attribution
